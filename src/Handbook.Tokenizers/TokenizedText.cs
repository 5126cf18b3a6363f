namespace Handbook.Tokenizers;

/// <summary>A text as tokens. The three arrays have one entry a token.</summary>
/// <param name="Text">The text that was encoded.</param>
/// <param name="Ids">Token ids.</param>
/// <param name="Offsets">
/// Where in <paramref name="Text"/> each token comes from. Tokens that are pieces of one character share its range; a
/// token that the post-processor added has the range (0, 0).
/// </param>
/// <param name="IsAdded">True for a token that the post-processor (or padding) added.</param>
public sealed record TokenizedText(string Text, int[] Ids, TextRange[] Offsets, bool[] IsAdded)
{
    /// <summary>Number of tokens.</summary>
    public int Count => Ids.Length;

    /// <summary>
    /// <see cref="Offsets"/> counted in Unicode code points instead of UTF-16 code units, as Hugging Face's library gives them.
    /// </summary>
    public TextRange[] OffsetsInCodePoints()
    {
        var before = new int[Text.Length + 1];
        for (var i = 0; i < Text.Length; i++)
        {
            var isSecondHalf = i > 0 && char.IsLowSurrogate(Text[i]) && char.IsHighSurrogate(Text[i - 1]);
            before[i + 1] = before[i] + (isSecondHalf ? 0 : 1);
        }
        return Array.ConvertAll(Offsets, range => new TextRange(before[range.Start], before[range.End]));
    }
}
