namespace Handbook.Tokenizers.Scanning;

/// <summary>Something that is looked for in text: a string, a regular expression or a kind of character.</summary>
internal abstract class SplitPattern
{
    /// <summary>Cuts <paramref name="text"/> into matches and what lies between them; an empty text is one empty part.</summary>
    public List<PatternPart> Find(ReadOnlySpan<char> text)
    {
        var parts = new List<PatternPart>();
        if (text.IsEmpty)
        {
            parts.Add(new PatternPart(0, 0, false));
            return parts;
        }
        Find(text, parts);
        return parts;
    }

    /// <summary>Adds the parts of a text that is not empty.</summary>
    protected abstract void Find(ReadOnlySpan<char> text, List<PatternPart> parts);

    /// <summary>Adds the stretch before a match, if there is one, and the match.</summary>
    protected static int AddMatch(List<PatternPart> parts, int previousEnd, int start, int end)
    {
        if (previousEnd != start)
            parts.Add(new PatternPart(previousEnd, start, false));
        parts.Add(new PatternPart(start, end, true));
        return end;
    }

    /// <summary>Adds what is left after the last match.</summary>
    protected static void AddRest(List<PatternPart> parts, int previousEnd, int length)
    {
        if (previousEnd != length)
            parts.Add(new PatternPart(previousEnd, length, false));
    }
}

/// <summary>A fixed string.</summary>
internal sealed class StringPattern(string value) : SplitPattern
{
    /// <summary>Longer ones would be compared almost whole at every place of some texts.</summary>
    private const int Longest = 4096;

    /// <summary>What is looked for.</summary>
    public string Value { get; } = value.Length <= Longest ? value
        : throw new InvalidDataException($"a pattern of {value.Length} characters; at most {Longest} are looked for");

    /// <inheritdoc/>
    protected override void Find(ReadOnlySpan<char> text, List<PatternPart> parts)
    {
        var end = 0;
        while (Value.Length > 0 && end < text.Length)
        {
            var found = text[end..].IndexOf(Value, StringComparison.Ordinal);
            if (found < 0)
                break;
            end = AddMatch(parts, end, end + found, end + found + Value.Length);
        }
        AddRest(parts, end, text.Length);
    }
}

/// <summary>Each character of one kind is a match of its own.</summary>
internal sealed class CharacterPattern(Func<int, bool> isMatch) : SplitPattern
{
    /// <inheritdoc/>
    protected override void Find(ReadOnlySpan<char> text, List<PatternPart> parts)
    {
        var end = 0;
        for (var i = 0; i < text.Length;)
        {
            var codePoint = CharClasses.CodePointAt(text, i, out var length);
            if (isMatch(codePoint))
                end = AddMatch(parts, end, i, i + length);
            i += length;
        }
        AddRest(parts, end, text.Length);
    }
}

/// <summary>A regular expression whose matches cover the text, by its hand-written scanner.</summary>
internal sealed class ScannerPattern(WordScanner scanner) : SplitPattern
{
    /// <summary>The scanner.</summary>
    public WordScanner Scanner { get; } = scanner;

    /// <inheritdoc/>
    protected override void Find(ReadOnlySpan<char> text, List<PatternPart> parts)
    {
        for (var i = 0; i < text.Length;)
            i = AddMatch(parts, i, i, Scanner.WordEnd(text, i));
    }
}
