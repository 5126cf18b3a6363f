namespace Handbook.Tokenizers.Scanning;

/// <summary>
/// Cuts text into words as one of the field's well-known regular expressions does, by hand: every character belongs to
/// exactly one word. A scanner keeps no state and may be shared by threads.
/// </summary>
internal abstract class WordScanner
{
    /// <summary>End of the word that begins at <paramref name="start"/>; always past it. Text outside the span does not exist.</summary>
    public abstract int WordEnd(ReadOnlySpan<char> text, int start);

    /// <summary>End of the run of characters from <paramref name="index"/> on that have any of <paramref name="kinds"/>.</summary>
    protected static int RunOf(ReadOnlySpan<char> text, int index, CharKinds kinds)
    {
        while (index < text.Length)
        {
            var unit = text[index];
            if (!char.IsHighSurrogate(unit))
            {
                if ((CharClasses.Of(unit) & kinds) == 0)
                    break;
                index++;
            }
            else
            {
                if ((CharClasses.At(text, index, out var length) & kinds) == 0)
                    break;
                index += length;
            }
        }
        return index;
    }

    /// <summary>End of the run of characters that have none of <paramref name="kinds"/>.</summary>
    protected static int RunWithout(ReadOnlySpan<char> text, int index, CharKinds kinds)
    {
        while (index < text.Length)
        {
            var unit = text[index];
            if (!char.IsHighSurrogate(unit))
            {
                if ((CharClasses.Of(unit) & kinds) != 0)
                    break;
                index++;
            }
            else
            {
                if ((CharClasses.At(text, index, out var length) & kinds) != 0)
                    break;
                index += length;
            }
        }
        return index;
    }

    /// <summary><c>\s+(?!\S)|\s+</c>: a run of white space, but for its last character where something follows.</summary>
    protected static int WhiteSpaceEnd(ReadOnlySpan<char> text, int start)
    {
        var end = RunOf(text, start, CharKinds.Space);
        return end == text.Length || end - start == 1 ? end : end - 1;
    }

    /// <summary><c>'s|'t|'re|'ve|'m|'ll|'d</c> at an apostrophe: its end, or <paramref name="start"/> where there is none.</summary>
    protected static int ContractionEnd(ReadOnlySpan<char> text, int start, bool ignoreCase)
    {
        if (start + 1 >= text.Length)
            return start;
        var first = Fold(text[start + 1], ignoreCase);
        if (first is 's' or 't' or 'm' or 'd')
            return start + 2;
        if (start + 2 >= text.Length || first is not ('r' or 'v' or 'l'))
            return start;
        var second = Fold(text[start + 2], ignoreCase);
        return (first, second) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? start + 3 : start;
    }

    /// <summary>Simple case folding, which also takes the long s to s.</summary>
    private static char Fold(char unit, bool ignoreCase) => !ignoreCase ? unit
        : unit is >= 'A' and <= 'Z' ? (char)(unit | 0x20)
        : unit == '\u017F' ? 's' : unit;
}
