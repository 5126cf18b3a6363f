using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>From spans of a text to the tokens that are labels.</summary>
public static class AssistantMask
{
    /// <summary>
    /// Marks the tokens of <c>{% generation %}</c> spans by transformers' own rule: from the token of a span's first
    /// character to the first token of its last one; to the very end where the last character has no token, or has the
    /// first token of all; and no further span once a first character has no token.
    /// </summary>
    /// <param name="offsets">UTF-16 range of each token.</param>
    /// <param name="spans">UTF-16 spans.</param>
    public static bool[] OfGenerationSpans(IReadOnlyList<TextRange> offsets, IEnumerable<TextRange> spans)
    {
        var mask = new bool[offsets.Count];
        foreach (var span in spans)
        {
            var first = TokenAt(offsets, span.Start);
            if (first < 0)
                break;
            var last = span.End > 0 ? TokenAt(offsets, span.End - 1) : -1;
            Array.Fill(mask, true, first, Math.Max(0, (last > 0 ? last + 1 : mask.Length) - first));
        }
        return mask;
    }

    /// <summary>Marks every token that shares a character with a span.</summary>
    /// <param name="offsets">UTF-16 range of each token.</param>
    /// <param name="spans">UTF-16 spans, in order.</param>
    public static bool[] OfSpans(IReadOnlyList<TextRange> offsets, IEnumerable<TextRange> spans)
    {
        var mask = new bool[offsets.Count];
        var token = 0;
        foreach (var span in spans)
        {
            while (token < mask.Length && (offsets[token].Length == 0 || offsets[token].End <= span.Start))
                token++;
            for (var i = token; i < mask.Length && offsets[i].Start < span.End; i++)
                mask[i] |= offsets[i].Length > 0 && span.Length > 0;
        }
        return mask;
    }

    /// <summary>The first token that covers a character; -1 when none does.</summary>
    private static int TokenAt(IReadOnlyList<TextRange> offsets, int position)
    {
        var (low, high) = (0, offsets.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (offsets[middle].End <= position)
                low = middle + 1;
            else
                high = middle;
        }
        return low < offsets.Count && offsets[low].Start <= position ? low : -1;
    }
}
