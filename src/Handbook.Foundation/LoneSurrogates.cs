namespace Handbook;

/// <summary>Halves of surrogate pairs that stand alone, which .NET strings allow and UTF-8 does not.</summary>
public static class LoneSurrogates
{
    /// <summary>The text with each of them replaced by U+FFFD; the text itself when it has none.</summary>
    public static string Replace(string text)
    {
        var first = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        if (first < 0)
            return text;
        char[]? copy = null;
        for (var i = first; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else
                (copy ??= text.ToCharArray())[i] = '\uFFFD';
        }
        return copy is null ? text : new string(copy);
    }
}
