namespace Handbook.Tokenizers.Scanning;

/// <summary>
/// The words of cl100k, Llama 3 and Qwen 2: <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}|
/// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
/// <param name="digits">Most digits in a word: 3 for cl100k and Llama 3, 1 for Qwen 2.</param>
internal sealed class TiktokenScanner(int digits) : WordScanner
{
    private const string Head = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|";
    private const string Tail = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The pattern with groups of up to three digits.</summary>
    public const string PatternOfThreeDigits = Head + @"\p{N}{1,3}" + Tail;

    /// <summary>The pattern with single digits.</summary>
    public const string PatternOfOneDigit = Head + @"\p{N}" + Tail;

    /// <inheritdoc/>
    public override int WordEnd(ReadOnlySpan<char> text, int start)
    {
        var kinds = CharClasses.At(text, start, out var length);
        if ((kinds & CharKinds.Letter) != 0)
            return RunOf(text, start + length, CharKinds.Letter);
        if ((kinds & CharKinds.Number) != 0)
            return NumberEnd(text, start + length);
        if (text[start] == '\'')
        {
            var end = ContractionEnd(text, start, ignoreCase: true);
            if (end > start)
                return end;
        }
        var next = start + length;
        if ((kinds & CharKinds.NewLine) == 0 && next < text.Length
            && (CharClasses.At(text, next, out var nextLength) & CharKinds.Letter) != 0)
            return RunOf(text, next + nextLength, CharKinds.Letter);
        return (kinds & CharKinds.Space) != 0 ? SpaceEnd(text, start) : SymbolsEnd(text, next);
    }

    private int NumberEnd(ReadOnlySpan<char> text, int index)
    {
        for (var count = 1; count < digits && index < text.Length; count++)
        {
            if ((CharClasses.At(text, index, out var length) & CharKinds.Number) == 0)
                break;
            index += length;
        }
        return index;
    }

    private static int SymbolsEnd(ReadOnlySpan<char> text, int index) =>
        RunOf(text, RunWithout(text, index, CharKinds.Letter | CharKinds.Number | CharKinds.Space), CharKinds.NewLine);

    private static int SpaceEnd(ReadOnlySpan<char> text, int start)
    {
        if (text[start] == ' ' && start + 1 < text.Length
            && (CharClasses.At(text, start + 1, out var length) & (CharKinds.Letter | CharKinds.Number | CharKinds.Space)) == 0)
            return SymbolsEnd(text, start + 1 + length);
        return NewLinesOrSpaceEnd(text, start);
    }

    /// <summary><c>\s*[\r\n]+|\s+(?!\S)|\s+</c>.</summary>
    internal static int NewLinesOrSpaceEnd(ReadOnlySpan<char> text, int start)
    {
        var run = RunOf(text, start, CharKinds.Space);
        var lastNewLine = text[start..run].LastIndexOfAny('\r', '\n');
        if (lastNewLine >= 0)
            return start + lastNewLine + 1;
        return run == text.Length || run - start == 1 ? run : run - 1;
    }
}
