namespace Handbook.Tokenizers.PostProcessors;

/// <summary>Adds special tokens and corrects offsets after the model.</summary>
internal abstract class PostProcessor
{
    /// <summary>Changes the tokens of one text in place.</summary>
    public abstract void Process(TokenBuffer tokens, OutputContext context);

    /// <summary>Ids of the special tokens put before and after a text.</summary>
    public virtual (int[] Before, int[] After) Added => ([], []);
}

/// <summary>What a post-processor may ask.</summary>
/// <param name="AddSpecialTokens">Whether special tokens are wanted.</param>
/// <param name="Text">The text that was encoded.</param>
/// <param name="TokenOf">A model's token by id; null for an added token.</param>
internal sealed record OutputContext(bool AddSpecialTokens, string Text, Func<int, string?> TokenOf);

/// <summary>One post-processor after the other.</summary>
internal sealed class SequencePostProcessor(IReadOnlyList<PostProcessor> steps) : PostProcessor
{
    /// <inheritdoc/>
    public override void Process(TokenBuffer tokens, OutputContext context)
    {
        foreach (var step in steps)
            step.Process(tokens, context);
    }

    /// <inheritdoc/>
    public override (int[] Before, int[] After) Added =>
        ([.. steps.Reverse().SelectMany(step => step.Added.Before)], [.. steps.SelectMany(step => step.Added.After)]);
}

/// <summary>
/// Special tokens around the text: a template's pieces before and after its sequence A. BERT's and RoBERTa's post-processors
/// are templates too.
/// </summary>
internal sealed class TemplatePostProcessor(int[] before, int[] after) : PostProcessor
{
    /// <inheritdoc/>
    public override void Process(TokenBuffer tokens, OutputContext context)
    {
        if (context.AddSpecialTokens)
            tokens.Surround(before, after);
    }

    /// <inheritdoc/>
    public override (int[] Before, int[] After) Added => (before, after);
}

/// <summary>Takes the white space that a byte-level token spells out of its offsets.</summary>
internal sealed class TrimOffsetsPostProcessor(bool addPrefixSpace) : PostProcessor
{
    private const char SpelledSpace = '\u0120';

    /// <inheritdoc/>
    public override void Process(TokenBuffer tokens, OutputContext context)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            var (start, end) = tokens.Ranges[i];
            // An added token's own text is what it took from the text, swallowed white space included.
            var token = context.TokenOf(tokens.Ids[i]) is { } known ? known : context.Text.AsSpan(start, end - start);
            var leading = CountSpaces(token, fromStart: true);
            var trailing = CountSpaces(token, fromStart: false);
            if (leading + trailing == 0)
                continue;
            // A single leading space at the very front is the one that add_prefix_space put there.
            if (addPrefixSpace && leading == 1 && (i == 0 || start == 0))
                leading = 0;
            start = Math.Min(Forward(context.Text, start, leading), end);
            tokens.Ranges[i] = new TextRange(start, Math.Max(Back(context.Text, end, trailing), start));
        }
    }

    /// <summary>So many characters on. The library counts characters, whatever they are.</summary>
    private static int Forward(string text, int index, int count)
    {
        for (; count > 0; count--)
            index += index + 1 < text.Length && char.IsHighSurrogate(text[index]) ? 2 : 1;
        return index;
    }

    /// <summary>So many characters back; <paramref name="index"/> itself where there are not so many.</summary>
    private static int Back(string text, int index, int count)
    {
        var start = index;
        for (; count > 0; count--)
        {
            if (start == 0)
                return index;
            start -= start > 1 && char.IsLowSurrogate(text[start - 1]) ? 2 : 1;
        }
        return start;
    }

    private static int CountSpaces(ReadOnlySpan<char> token, bool fromStart)
    {
        var count = 0;
        while (count < token.Length && IsSpace(fromStart ? token[count] : token[^(count + 1)]))
            count++;
        return count;
    }

    private static bool IsSpace(char unit) => unit == SpelledSpace || char.IsWhiteSpace(unit);
}
