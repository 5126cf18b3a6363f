using CsCheck;
using Handbook.Tokenizers.Regex;
using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Tests;

public sealed class PatternTests
{
    public static TheoryData<string> ScannedPatterns =>
        [Gpt2Scanner.Pattern, TiktokenScanner.PatternOfThreeDigits, TiktokenScanner.PatternOfOneDigit, O200kScanner.Pattern];

    [Theory]
    [MemberData(nameof(ScannedPatterns))]
    public void Scanner_ArbitraryText_CutsAsItsPattern(string pattern)
    {
        var scanner = new ScannerPattern(PatternTable.Find(pattern)!);
        var regex = new RegexPattern(pattern);
        FastEncoderTests.Texts.Sample(text => Assert.Equal(regex.Find(text), scanner.Find(text)), iter: 2000, threads: 1);
    }

    [Theory]
    [InlineData("(a+)+b")]
    [InlineData("(?:a|aa)+$x")]
    [InlineData("(?:(?:a?){50}){50}")]
    [InlineData("(?<=(?:a|b|c){0,500})x")]
    public void Find_HostilePattern_EndsWithinItsStepLimit(string pattern)
    {
        // Nested repeats take exponential time by plain backtracking: either the pattern is refused or the search gives up.
        var text = new string('a', 2000);
        var failure = Record.Exception(() => new RegexPattern(pattern).Find(text));
        Assert.True(failure is null or UserErrorException or InvalidDataException, failure?.ToString());
    }

    [Theory]
    [InlineData("[a", "a [ without ]")]
    [InlineData("a)", "an unopened )")]
    [InlineData("*a", "a * with nothing before it")]
    [InlineData("a{2", "a { that is not a count")]
    [InlineData("a{9999}", "counts go up to 1000")]
    [InlineData(@"\p{Klingon}", "the property Klingon, which is not known")]
    [InlineData(@"(a)\1", @"\1 at 3, which is not supported")]
    [InlineData("(?:a?)*", "a repeated part that can match nothing")]
    [InlineData("(?<=a+)b", "a look-behind without a longest length")]
    [InlineData("[z-a]", "a range that goes backwards")]
    public void Constructor_PatternNotSupported_SaysWhy(string pattern, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => new RegexPattern(pattern));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_DeeplyNestedGroups_AreRefused() =>
        Assert.Throws<InvalidDataException>(() => new RegexPattern(new string('(', 100_000) + new string(')', 100_000)));
}
