namespace Handbook.Templates.Tests;

public sealed class GenerationMarksTests
{
    [Theory]
    [InlineData("ab\uFDD0cd\uFDD1e", "abcde", "2-4")]
    [InlineData("\uFDD0\uFDD0a\uFDD1b\uFDD1", "ab", "0-1 0-2")]
    [InlineData("\uFDD0\uFDD1a", "a", "0-0")]
    [InlineData("\uFDD0ab", "ab", null)]
    [InlineData("a\uFDD1b", "ab", null)]
    [InlineData("\uFDD0ab\uFDD1", "aB", null)]
    [InlineData("\uFDD0ab\uFDD1", "abc", null)]
    public void Spans_OnlyOfMarksThatChangedNothing(string marked, string text, string? expected)
    {
        var spans = GenerationMarks.Spans(marked, text);
        Assert.Equal(expected, spans is null ? null : string.Join(' ', spans.Select(span => $"{span.Start}-{span.End}")));
    }
}
