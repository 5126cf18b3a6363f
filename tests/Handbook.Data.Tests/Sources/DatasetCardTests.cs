using System.Text;
using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

/// <summary>What a dataset's card says of its files, as the datasets library understands it.</summary>
public sealed class DatasetCardTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("True")]
    [InlineData("true")]
    [InlineData("yes")]
    [InlineData("On")]
    [InlineData("1")]
    [InlineData("'true'")]
    public void Open_DefaultAsYamlWritesTruth_IsTheDefault(string truth)
    {
        Set($"- config_name: one\n  data_files: a.jsonl\n- config_name: two\n  data_files: b.jsonl\n  default: {truth}",
            "a.jsonl", "b.jsonl");
        Assert.Equal("b.jsonl", Files());
    }

    [Theory]
    [InlineData("False")]
    [InlineData("no")]
    [InlineData("null")]
    public void Open_DefaultAsYamlWritesFalsehood_IsNot(string falsehood)
    {
        Set($"- config_name: one\n  data_files: a.jsonl\n- config_name: two\n  data_files: b.jsonl\n  default: {falsehood}",
            "a.jsonl", "b.jsonl");
        Assert.Contains("none is the default; name one of one, two", Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("- config_name: m\n  data_dir: sub\n  data_files: a.jsonl", "sub/a.jsonl")]
    [InlineData("- config_name: m\n  data_dir: sub\n  data_files:\n  - split: train\n    path: ['*.jsonl', deep/**]",
        "sub/a.jsonl sub/b.jsonl sub/deep/c.jsonl")]
    [InlineData("- config_name: m\n  data_dir: ./sub/\n  data_files: deep/*", "sub/deep/c.jsonl")]
    [InlineData("- config_name: m\n  data_dir: sub/deep", "sub/deep/c.jsonl")]
    [InlineData("- config_name: m\n  data_files: ['sub/**', a.jsonl]", "sub/a.jsonl sub/b.jsonl sub/deep/c.jsonl a.jsonl")]
    [InlineData("- config_name: m\n  data_files: ['absent/*', 'sub/[!a].jsonl']", "sub/b.jsonl")]
    [InlineData("- config_name: m\n  data_files: '{a,x}.jsonl'", "a.jsonl")]
    [InlineData("- config_name: m\n  data_files: sub/**\n  data_files: a.jsonl", "a.jsonl")]
    [InlineData("- &base\n  config_name: m\n  data_files: a.jsonl\n- <<: *base\n  config_name: default\n  data_dir: sub", "sub/a.jsonl")]
    [InlineData("- config_name: m\n  data_files: .hidden/h.jsonl", ".hidden/h.jsonl")]
    public void Open_DataFiles_AreThoseOfTheirFolder(string configs, string expected)
    {
        Set(configs, "a.jsonl", "sub/a.jsonl", "sub/b.jsonl", "sub/deep/c.jsonl", ".hidden/h.jsonl");
        if (configs.Contains("default", StringComparison.Ordinal))
            Assert.Contains("sub/a.jsonl", Files("default"), StringComparison.Ordinal);
        else
            Assert.Equal(expected, Files());
    }

    [Theory]
    [InlineData("sep: ';'", "a;b\n1;2\n", "a=1 b=2")]
    [InlineData("delimiter: '|'", "a|b\n1|2\n", "a=1 b=2")]
    [InlineData("sep: \"\\t\"", "a\tb\n1\t2\n", "a=1 b=2")]
    [InlineData("sep: '\\t'", "a\tb\n1\t2\n", "a=1 b=2")]
    [InlineData("names: [x, y]", "1,2\n", "x=1 y=2")]
    [InlineData("column_names: [x, y]\n  header: 0", "a,b\n1,2\n", "x=1 y=2")]
    [InlineData("header: null", "1,2\n", "0=1 1=2")]
    [InlineData("version: 1.0.0", "a,b\n1,2\n", "a=1 b=2")]
    public void Read_CsvAsTheCardSays_GivesItsColumns(string setting, string content, string expected)
    {
        Set($"- config_name: default\n  data_files: t.csv\n  {setting}");
        folder.Write("set/t.csv", content);
        var source = RowSource.Open(new DatasetRequest("set"), [new LocalDatasetResolver(folder.Path)], new SourceOptions());
        Assert.Equal(1, source.Count());
        using var document = source.Read().Single().Parse();
        Assert.Equal(expected, string.Join(' ', document.RootElement.EnumerateObject().Select(value => $"{value.Name}={value.Value}")));
    }

    [Theory]
    [InlineData("- config_name: m\n  sep: '::'", "README.md, line 4: sep of a configuration: expected one ASCII character")]
    [InlineData("- config_name: m\n  skiprows: 1", "README.md, line 4: skiprows of configuration m is not supported")]
    [InlineData("- data_files: a.jsonl", "README.md, line 3: config_name of a configuration: expected a name")]
    [InlineData("- config_name: m\n  data_files: {train: a.jsonl}", "line 4: data_files of a configuration: expected a path")]
    [InlineData("- config_name: m\n  data_files:\n  - split: train\n  - x", "line 5: data_files of a configuration: expected a path")]
    [InlineData("- config_name: m\n  data_files:\n  - {split: train, path: a.jsonl}\n  - {split: train, path: a.jsonl}",
        "line 6: data_files gives the split train twice")]
    [InlineData("- config_name: m\n  data_files: b.jsonl",
        "no data file matches b.jsonl, which the card gives for split train of m. Did you mean a.jsonl?")]
    [InlineData("- config_name: m\n  data_files: 'b*'", "no data file matches b*")]
    [InlineData("- config_name: m\n  data_files: /etc/*", "no data file matches /etc/*")]
    [InlineData("- config_name: m\n  data_dir: ../other", "data_dir of configuration m is ../other; expected a folder of the dataset")]
    [InlineData("- config_name: m\n  data_dir: /other", "data_dir of configuration m is /other; expected a folder of the dataset")]
    [InlineData("- config_name: m\n  data_dir: absent", "no such folder")]
    [InlineData("- config_name: m\n  default: true\n- config_name: n\n  default: true", "several configurations are the default (m, n)")]
    [InlineData("- config_name: [", "the card's heading is not valid YAML")]
    [InlineData("  what: is this", "configs of a configuration: expected a list of configurations")]
    [InlineData("- *absent", "the alias *absent has no anchor before it")]
    [InlineData("- &a [*a]", "has no anchor before it")]
    public void Open_CardOfAnotherForm_SaysWhere(string configs, string problem)
    {
        Set(configs, "a.jsonl");
        Assert.Contains(problem, Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_KeysWithoutEffect_AreTold()
    {
        Set("- config_name: m\n  data_files: a.jsonl\n  features: []", "a.jsonl");
        Assert.Equal([$"{folder.File("set/README.md")}: features of configuration m has no effect"],
            DatasetFolder.Open(folder.File("set"), null).Notes);
    }

    [Fact]
    public void Open_CardsThatUnfoldWithoutEnd_AreReadAsTheyStand()
    {
        var bomb = new StringBuilder("- config_name: m\n  data_files: a.jsonl\n  description: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 60; i++)
            bomb.Append(System.Globalization.CultureInfo.InvariantCulture,
                $"- config_name: m{i}\n  description: &a{i} {{? [*a{i - 1}, *a{i - 1}] : [*a{i - 1}, *a{i - 1}, *a{i - 1}]}}\n  <<: "
                    + $"[*a{i - 1}, *a{i - 1}, *a{i - 1}]\n");
        Set(bomb.ToString(), "a.jsonl");
        Assert.Equal("a.jsonl", Files("m"));
        Set("- " + new string('[', 100_000), "a.jsonl");
        Assert.Contains("nested too deeply", Refused(), StringComparison.Ordinal);
    }

    private void Set(string configs, params string[] files)
    {
        folder.Write("set/README.md", $"---\nconfigs:\n{configs}\n---\n# A dataset\n");
        foreach (var file in files)
            folder.Write("set/" + file, "");
    }

    private string Refused() => Assert.Throws<UserErrorException>(() => DatasetFolder.Open(folder.File("set"), null)).Message;

    private string Files(string? config = null) =>
        string.Join(' ',
            DatasetFolder.Open(folder.File("set"), config).Files("train")
                .Select(path => Path.GetRelativePath(folder.File("set"), Path.GetFullPath(path))));
}
