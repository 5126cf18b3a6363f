namespace Handbook.Tokenizers.Scanning;

/// <summary>
/// GPT-2's words: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
/// <param name="isolateDigits">
/// Every number character is a word of its own and ends the text before it, as after a <c>Digits</c> pre-tokenizer with
/// <c>individual_digits</c>.
/// </param>
internal sealed class Gpt2Scanner(bool isolateDigits) : WordScanner
{
    /// <summary>The pattern this scanner stands for.</summary>
    public const string Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <inheritdoc/>
    public override int WordEnd(ReadOnlySpan<char> text, int start)
    {
        var index = start;
        if (text[start] == '\'')
        {
            var end = ContractionEnd(text, start, ignoreCase: false);
            if (end > start)
                return end;
        }
        else if (text[start] == ' ' && start + 1 < text.Length)
        {
            var next = CharClasses.At(text, start + 1, out _);
            if ((next & CharKinds.Space) == 0 && !(isolateDigits && (next & CharKinds.Number) != 0))
                index++;
        }

        var kinds = CharClasses.At(text, index, out var length);
        if ((kinds & CharKinds.Letter) != 0)
            return RunOf(text, index + length, CharKinds.Letter);
        if ((kinds & CharKinds.Number) != 0)
            return isolateDigits ? index + length : RunOf(text, index + length, CharKinds.Number);
        if ((kinds & CharKinds.Space) == 0)
            return RunWithout(text, index + length, CharKinds.Letter | CharKinds.Number | CharKinds.Space);
        if (!isolateDigits)
            return WhiteSpaceEnd(text, start);
        var runEnd = RunOf(text, start, CharKinds.Space);
        var endsSegment = runEnd == text.Length || (CharClasses.At(text, runEnd, out _) & CharKinds.Number) != 0;
        return endsSegment || runEnd - start == 1 ? runEnd : runEnd - 1;
    }
}
