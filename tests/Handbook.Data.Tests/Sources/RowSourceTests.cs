using Handbook.Data.Sources;
using Handbook.TestSupport;

namespace Handbook.Data.Tests.Sources;

public sealed class RowSourceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public RowSourceTests()
    {
        folder.Write("set/data/train-00000-of-00002.jsonl", Rows("a", 6));
        folder.Write("set/data/train-00001-of-00002.jsonl", Rows("b", 4));
        folder.Write("set/data/test_sft-00000-of-00001.jsonl", Rows("t", 3));
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("train", "a0 a1 a2 a3 a4 a5 b0 b1 b2 b3")]
    [InlineData("train[:20%]", "a0 a1")]
    [InlineData("train[5:8]", "a5 b0 b1")]
    [InlineData("train[-2:]", "b2 b3")]
    [InlineData("train[90%:]+test_sft", "b3 t0 t1 t2")]
    [InlineData("test_sft[:50%]+train[:1]", "t0 t1 a0")]
    [InlineData("train[8:3]", "")]
    public void Read_SplitExpression_GivesItsRowsWithTheirNumbers(string split, string expected)
    {
        var source = Open("set", split: split);
        var rows = source.Read().ToList();
        Assert.Equal(expected, string.Join(' ', rows.Select(Name)));
        Assert.Equal(Enumerable.Range(0, rows.Count).Select(i => (long)i), rows.Select(row => row.Index));
        Assert.Equal(rows.Count, source.Count());
        Assert.Equal(expected.Split(' ').Where((name, i) => name.Length > 0 && i % 2 == 1),
            Open("set", split: split).Read(i => i % 2 == 1).Select(Name));
    }

    [Fact]
    public void Range_Percentages_RoundAsTheReferenceDoes()
    {
        // datasets: int(round(p * n / 100)) with Python's rounding of halves to even: 50 % of 3 is 2, of 5 is 2.
        Assert.Equal((0, 2), SplitSelection.Parse("x[:50%]")[0].Range(3));
        Assert.Equal((0, 2), SplitSelection.Parse("x[:50%]")[0].Range(5));
        Assert.Equal((7, 10), SplitSelection.Parse("x[-33%:]")[0].Range(10));
    }

    [Theory]
    [InlineData("train[:11]", "split train[:11]: the slice does not fit the 10 rows there are")]
    [InlineData("train[:200%]", "split \"train[:200%]\": the bound 200% must be a row number, or from -100% to 100%")]
    [InlineData("train[1,2]", "\"train[1,2]\" is not a split")]
    [InlineData("trian", "Did you mean train?")]
    public void Read_WrongSplit_SaysWhatIsWrong(string split, string message) =>
        Assert.Contains(message, Assert.Throws<UserErrorException>(() => Open("set", split: split).Read().Count()).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Open_CardWithConfigurations_TakesTheirFiles()
    {
        folder.Write("card/README.md", """
            ---
            configs:
            - config_name: one
              data_files:
              - split: train
                path: "one/*.jsonl"
            - config_name: two
              default: true
              data_files:
              - split: train
                path: ["two/a-*.jsonl", "two/b*"]
              - split: test
                path: two/t.jsonl
            ---
            # A dataset
            """);
        folder.Write("card/one/x.jsonl", Rows("one", 1));
        folder.Write("card/two/a-1.jsonl", Rows("a", 1));
        folder.Write("card/two/b.jsonl", Rows("b", 1));
        folder.Write("card/two/t.jsonl", Rows("t", 1));
        Assert.Equal(["one0"], Open("card", config: "one").Read().Select(Name));
        Assert.Equal(["a0", "b0"], Open("card").Read().Select(Name));
        Assert.Equal(["t0"], Open("card", split: "test").Read().Select(Name));
        Assert.Contains("no configuration tow; there is one, two. Did you mean two?",
            Assert.Throws<UserErrorException>(() => Open("card", config: "tow")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FilesByKeyword_GivesTheirSplits()
    {
        folder.Write("plain/my_train.csv", "text\na\n");
        folder.Write("plain/my_dev.csv", "text\nd\n");
        folder.Write("plain/odd.csv", "text\no\n");
        Assert.Equal(["a"], Open("plain").Read().Select(Name));
        Assert.Equal(["d"], Open("plain", split: "validation").Read().Select(Name));
        Assert.Equal(["o"], Open("plain", split: "odd").Read().Select(Name));
        Assert.Equal(["o"], Open("plain/odd.csv").Read().Select(Name));
    }

    [Fact]
    public void Open_SavedDatasetDict_GivesItsSplits()
    {
        folder.Write("saved/dataset_dict.json", "{\"splits\": [\"train\", \"test\"]}");
        foreach (var split in new[] { "train", "test" })
        {
            folder.Write($"saved/{split}/state.json", "{\"_data_files\": [{\"filename\": \"data-00000-of-00001.arrow\"}]}");
            DatasetWriters.Write(folder.File($"saved/{split}/data-00000-of-00001.arrow"), DatasetWriters.Conversations(split.Length));
        }
        Assert.Equal(5, Open("saved").Count());
        Assert.Equal(4, Open("saved", split: "test").Count());
    }

    [Fact]
    public void Open_IdInTheCache_FollowsItsReference()
    {
        var hub = new HubCacheResolver(folder.File("hub"));
        folder.Write("hub/datasets--org--name/refs/main", "abc123");
        folder.Write("hub/datasets--org--name/snapshots/abc123/train.jsonl", Rows("cached", 2));
        var source = RowSource.Open(new DatasetRequest("org/name"), [new LocalDatasetResolver(folder.Path), hub], new SourceOptions());
        Assert.Equal(["cached0", "cached1"], source.Read().Select(Name));
        var error = Assert.Throws<UserErrorException>(() => RowSource.Open(new DatasetRequest("org/nmae"), [hub], new SourceOptions()));
        Assert.Contains("Did you mean org/name?", error.Message, StringComparison.Ordinal);
        Assert.Null(hub.Find("../../etc", null));
        Assert.Null(hub.Find("org/name", "../../../secret"));
    }

    [Fact]
    public void Names_RenamedAndSelectedColumns_AreSeenByTheirNewNames()
    {
        var options = new SourceOptions { Columns = ["text"], Rename = new Dictionary<string, string> { ["body"] = "text" } };
        using var document = System.Text.Json.JsonDocument.Parse("{\"body\":\"x\",\"text\":\"old\",\"other\":1,\"none\":null}");
        var row = new RowColumns(document.RootElement, options);
        Assert.True(row.TryGet("text", out var value));
        Assert.Equal("x", value.GetString());
        Assert.False(row.TryGet("other", out _));
        Assert.False(row.TryGet("body", out _));
        Assert.Equal(["text", "text"], row.Names);
    }

    [Fact]
    public void Open_FileOfAnotherNameInTheFolderNamed_IsHinted()
    {
        folder.Write("data/train.jsonl", "{}\n");
        var error = Assert.Throws<UserErrorException>(() => Open(Path.Combine("data", "trian.jsonl")));
        Assert.EndsWith($"Did you mean {Path.Combine("data", "train.jsonl")}?", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bench/test.jsonl", "bench", 1)]
    [InlineData("bench/questions.jsonl", "bench/questions.jsonl", 1)]
    [InlineData("bench/questions.jsonl", "bench", 1)]
    public void OpenSplitOrAll_WithoutThatSplit_TakesWhatThereIs(string file, string name, int rows)
    {
        folder.Write(file, "{\"text\":\"a\"}\n");
        var source = RowSource.OpenSplitOrAll(new DatasetRequest(name, Split: "test"),
            [new LocalDatasetResolver(folder.Path)], new SourceOptions());
        Assert.Equal(rows, source.Count());
    }

    private RowSource Open(string name, string? config = null, string split = "train") =>
        RowSource.Open(new DatasetRequest(name, config, split), [new LocalDatasetResolver(folder.Path)], new SourceOptions());

    private static string Name(SourceRow row)
    {
        using var document = row.Parse();
        return document.RootElement.GetProperty("text").GetString()!;
    }

    private static string Rows(string prefix, int count) =>
        string.Concat(Enumerable.Range(0, count).Select(i => $"{{\"text\":\"{prefix}{i}\"}}\n"));
}
