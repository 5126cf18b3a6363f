using Handbook.Recipes.Yaml;

namespace Handbook.Recipes.Tests.Yaml;

public class YamlReaderTests
{
    [Theory]
    [InlineData("a: [q_proj, v_proj\nseed: 42\n", "f:1:4: this bracket is never closed.")]
    [InlineData("a: 1\nb: x\ty\n", "f:2:5: a tab cannot stand in a plain value; put it in quotes.")]
    [InlineData("a:\tb\n", "f:1:3: a tab cannot stand between values; use spaces.")]
    [InlineData("a: 1\n\tb: 2\n", "f:2:1: a tab cannot indent a line; use spaces.")]
    [InlineData("a:\n\tb: 2\n", "f:2:1: a tab cannot indent a line; use spaces.")]
    [InlineData("a:\n  - x\n  \t- y\n", "f:3:3: a tab cannot indent a line; use spaces.")]
    [InlineData("a: x\n \tb: y\n", "f:2:2: a tab cannot indent a line; use spaces.")]
    [InlineData("a: |\n  x\n\ty\n", "f:3:1: a tab cannot indent a line; use spaces.")]
    [InlineData("a: {% if x %}\n", "f:1:5: a plain value cannot begin with '%'; put it in quotes.")]
    [InlineData("a: !!python/name:os.system x\n",
        "f:1:4: the tag tag:yaml.org,2002:python/name:os.system is not supported: a recipe holds plain data.")]
    [InlineData("a: 1\n---\nb: 2\n", "f:2:1: expected one document, found a second one.")]
    [InlineData("a: &x 1\nb: &x 2\n", "f:2:4: the anchor &x is given twice.")]
    [InlineData("a: 2024-13-01\n", "f:1:4: '2024-13-01' is not a valid value of its kind (!!timestamp); put it in quotes if it is text.")]
    public void Read_BrokenText_SaysWhereAndWhy(string yaml, string expected) =>
        Assert.Equal(expected, Assert.Throws<UserErrorException>(() => YamlReader.Read(yaml, "f")).Message);

    [Fact]
    public void Read_DeepNesting_IsRefusedInsteadOfOverflowing() => Assert.Contains(
        "nested too deeply", Assert.Throws<UserErrorException>(() => YamlReader.Read(new string('[', 2_000), "f")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void ReadFile_NotUtf8_NamesTheByte()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, [(byte)'a', (byte)':', (byte)' ', 0xFF, (byte)'\n']);
            Assert.Equal($"{file}: not UTF-8 text (byte 3).", Assert.Throws<UserErrorException>(() => YamlReader.ReadFile(file)).Message);
        }
        finally { File.Delete(file); }
    }

    [Theory]
    [InlineData(2e-5, "2.0e-05")]
    [InlineData(1e20, "1.0e+20")]
    [InlineData(3, "3.0")]
    [InlineData(0.1, "0.1")]
    public void WriteNumber_Always_ReadsBackAsTheSameFloat(double value, string expected)
    {
        Assert.Equal(expected, YamlText.WriteNumber(value));
        Assert.Equal(value, Assert.IsType<YamlFloat>(YamlReader.Read(expected, "f")).Value);
    }
}
