namespace Handbook.Tokenizers.Scanning;

/// <summary>
/// The words of o200k (GPT-4o) and Llama 4: capitals and small letters make words of their own, and contractions stay with
/// the word before them.
/// </summary>
internal sealed class O200kScanner : WordScanner
{
    private const string Capitals = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", Small = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string Before = @"[^\r\n\p{L}\p{N}]?", Contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";

    /// <summary>The pattern this scanner stands for.</summary>
    public const string Pattern = Before + Capitals + "*" + Small + "+" + Contraction + "|" + Before + Capitals + "+" + Small + "*"
        + Contraction
        + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <inheritdoc/>
    public override int WordEnd(ReadOnlySpan<char> text, int start)
    {
        var kinds = CharClasses.At(text, start, out var length);
        var isBefore = (kinds & (CharKinds.NewLine | CharKinds.Letter | CharKinds.Number)) == 0;
        // Each of the two word patterns is tried with the optional character before it, then without.
        var word = isBefore ? SmallEnd(text, start + length) : -1;
        if (word < 0)
            word = SmallEnd(text, start);
        if (word < 0 && isBefore)
            word = CapitalsEnd(text, start + length);
        if (word < 0)
            word = CapitalsEnd(text, start);
        if (word >= 0)
            return word < text.Length && text[word] == '\'' ? ContractionEnd(text, word, ignoreCase: true) : word;
        if ((kinds & CharKinds.Number) != 0)
            return NumberEnd(text, start);
        var symbols = start + (text[start] == ' ' ? 1 : 0);
        var symbolsEnd = RunWithout(text, symbols, CharKinds.Letter | CharKinds.Number | CharKinds.Space);
        if (symbolsEnd == symbols)
            return TiktokenScanner.NewLinesOrSpaceEnd(text, start);
        while (symbolsEnd < text.Length && text[symbolsEnd] is '\r' or '\n' or '/')
            symbolsEnd++;
        return symbolsEnd;
    }

    /// <summary>
    /// Capitals, then at least one small letter. Letters without case and marks are both, so where nothing small follows, the
    /// last such character of the capitals is given back to be the small one.
    /// </summary>
    private static int SmallEnd(ReadOnlySpan<char> text, int start)
    {
        var (index, afterLastBoth) = (start, -1);
        while (index < text.Length)
        {
            var kinds = CharClasses.At(text, index, out var length);
            if ((kinds & CharKinds.UpperLike) == 0)
                break;
            index += length;
            if ((kinds & CharKinds.LowerLike) != 0)
                afterLastBoth = index;
        }
        var end = RunOf(text, index, CharKinds.LowerLike);
        return end > index ? end : afterLastBoth;
    }

    private static int CapitalsEnd(ReadOnlySpan<char> text, int start)
    {
        var end = RunOf(text, start, CharKinds.UpperLike);
        return end > start ? RunOf(text, end, CharKinds.LowerLike) : -1;
    }

    private static int NumberEnd(ReadOnlySpan<char> text, int index)
    {
        for (var count = 0; count < 3 && index < text.Length; count++)
        {
            if ((CharClasses.At(text, index, out var length) & CharKinds.Number) == 0)
                break;
            index += length;
        }
        return index;
    }
}
