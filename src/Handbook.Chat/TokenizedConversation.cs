using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>A text as tokens with their labels. The arrays have one entry a token.</summary>
/// <param name="Text">The rendered text.</param>
/// <param name="Ids">Token ids.</param>
/// <param name="LossMask">True where the token counts in the loss.</param>
/// <param name="MessageIndex">The message each token belongs to, from 0; -1 for what no message wrote.</param>
/// <param name="Offsets">UTF-16 range of <paramref name="Text"/> each token comes from; empty for an added token.</param>
public sealed record TokenizedConversation(string Text, int[] Ids, bool[] LossMask, int[] MessageIndex, TextRange[] Offsets)
{
    /// <summary>Number of tokens.</summary>
    public int Count => Ids.Length;

    /// <summary>Number of tokens that count in the loss; 0 means that nothing would be learned.</summary>
    public int LabelCount => LossMask.Count(counts => counts);

    /// <summary>The tokens from <paramref name="start"/> on, <paramref name="count"/> of them; the text stays whole.</summary>
    public TokenizedConversation Slice(int start, int count) => this with
    {
        Ids = Ids.AsSpan(start, count).ToArray(),
        LossMask = LossMask.AsSpan(start, count).ToArray(),
        MessageIndex = MessageIndex.AsSpan(start, count).ToArray(),
        Offsets = Offsets.AsSpan(start, count).ToArray(),
    };
}

/// <summary>A prompt and what follows it, as token ids. Prompt and completion together are one text's tokens.</summary>
/// <param name="Prompt">The prompt with its BOS.</param>
/// <param name="Completion">The completion with its end of turn; every token is a label.</param>
public sealed record TokenizedCompletion(int[] Prompt, int[] Completion);

/// <summary>A prompt that two completions share, and the completions, as token ids.</summary>
/// <param name="Prompt">The prompt with its BOS: the same ids before both completions.</param>
/// <param name="Chosen">The better completion with its end of turn; every token is a label.</param>
/// <param name="Rejected">The worse completion with its end of turn; every token is a label.</param>
public sealed record TokenizedPair(int[] Prompt, int[] Chosen, int[] Rejected)
{
    /// <summary>Tokens of the prompt and both completions.</summary>
    public int Count => Prompt.Length + Chosen.Length + Rejected.Length;
}
