using System.Text;
using Handbook.Recipes.Yaml;

namespace Handbook.Recipes.Tests.Yaml;

/// <summary>Kilobytes that stand for billions of values, and digits that take minutes to read.</summary>
public class YamlBombTests
{
    [Fact]
    public void Merges_ThatDoubleEachTime_AreRefused() =>
        Refused(Levels(i => $"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}, *m{i - 1}], k{i}: 1}}", "m0: &m0 {a: 1}"));

    [Fact]
    public void EmptyMerges_ThatDoubleEachTime_AreRefused() =>
        Refused(Levels(i => $"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}]}}", "m0: &m0 {}"));

    [Fact]
    public void Lists_OfListsOfLists_AreRefused() =>
        Refused(Levels(i => $"m{i}: &m{i} [*m{i - 1}, *m{i - 1}, *m{i - 1}, *m{i - 1}]", "m0: &m0 [a, a]"));

    [Fact]
    public void Mappings_OfMappings_AreRefused() => Refused(Levels(i => $"m{i}: &m{i} {{a: *m{i - 1}, b: *m{i - 1}}}", "m0: &m0 {a: 1}"));

    [Fact]
    public void MergesOfAnOrdinaryKind_AreTaken()
    {
        var value = (YamlMapping)YamlReader.Read("a: &a {x: 1, y: 2}\nb: &b {<<: *a, y: 3}\nc: {<<: [*b, *a], z: 4}\n", "r.yaml");
        Assert.Equal(3, ((YamlMapping)value.Entries[2].Value).Entries.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("0x")]
    [InlineData("0b")]
    [InlineData("1:")]
    public void AnIntegerOfAMillionDigits_IsRefused(string prefix)
    {
        var digits = prefix == "1:" ? string.Join(':', Enumerable.Repeat("1", 500_000)) : prefix + new string('1', 1_000_000);
        var error = Assert.Throws<UserErrorException>(() => YamlReader.Read("seed: " + digits, "r.yaml"));
        Assert.StartsWith("r.yaml:1:7: ", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 500, $"{error.Message.Length} characters");
    }

    private static string Levels(Func<int, string> level, string first)
    {
        var text = new StringBuilder(first).Append('\n');
        for (var i = 1; i <= 40; i++)
            text.Append(level(i)).Append('\n');
        return text.ToString();
    }

    private static void Refused(string text)
    {
        var error = Assert.Throws<UserErrorException>(() => YamlReader.Read(text, "r.yaml"));
        Assert.Contains("holds more than 200000 values where aliases and merges are followed", error.Message, StringComparison.Ordinal);
    }
}
