using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Regex;

/// <summary>
/// A regular expression of a tokenizer file. .NET's own would not do: it works on UTF-16 code units, so that <c>\p{L}</c>
/// never matches a letter outside the basic plane.
/// </summary>
internal sealed class RegexPattern(string pattern) : SplitPattern
{
    private readonly RegexInstruction[] _code = RegexCompiler.Compile(RegexParser.Parse(pattern));

    /// <inheritdoc/>
    protected override void Find(ReadOnlySpan<char> text, List<PatternPart> parts)
    {
        var matcher = new RegexMatcher(_code, text);
        var (previousEnd, lastMatchEnd) = (0, -1);
        for (var start = 0; start <= text.Length;)
        {
            var end = matcher.MatchAt(start);
            // An empty match right after a match does not count.
            if (end < 0 || (end == start && end == lastMatchEnd))
            {
                start += Step(text, start);
                continue;
            }
            previousEnd = AddMatch(parts, previousEnd, start, end);
            lastMatchEnd = end;
            start = end;
        }
        AddRest(parts, previousEnd, text.Length);
    }

    private static int Step(ReadOnlySpan<char> text, int start)
    {
        if (start >= text.Length)
            return 1;
        CharClasses.CodePointAt(text, start, out var length);
        return length;
    }
}
