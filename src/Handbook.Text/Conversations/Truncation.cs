namespace Handbook.Text.Conversations;

/// <summary>What becomes of tokens beyond the limit.</summary>
public enum TruncationPolicy
{
    /// <summary><c>keep_start</c>: the first tokens stay.</summary>
    KeepStart,

    /// <summary><c>keep_end</c>: the last tokens stay.</summary>
    KeepEnd,

    /// <summary><c>drop</c>: the example is left out.</summary>
    Drop,

    /// <summary><c>split</c>: the example is cut into pieces; nothing is lost.</summary>
    Split,
}

/// <summary>How many examples met each fate. Counts of parallel workers are added up with <see cref="Add"/>.</summary>
public sealed record TruncationCounts
{
    /// <summary>Examples seen.</summary>
    public long Examples { get; init; }

    /// <summary>Examples that fitted.</summary>
    public long Whole { get; init; }

    /// <summary>Examples that lost tokens.</summary>
    public long Cut { get; init; }

    /// <summary>Examples cut into several pieces.</summary>
    public long Split { get; init; }

    /// <summary>Examples left out.</summary>
    public long Dropped { get; init; }

    /// <summary>Pieces that have no label left: nothing is learned from them.</summary>
    public long Unlabelled { get; init; }

    /// <summary>Tokens that were cut off.</summary>
    public long TokensLost { get; init; }

    /// <summary>Both counts together.</summary>
    public TruncationCounts Add(TruncationCounts other) => new()
    {
        Examples = Examples + other.Examples,
        Whole = Whole + other.Whole,
        Cut = Cut + other.Cut,
        Split = Split + other.Split,
        Dropped = Dropped + other.Dropped,
        Unlabelled = Unlabelled + other.Unlabelled,
        TokensLost = TokensLost + other.TokensLost,
    };
}

/// <summary>Cuts conversations to a length and counts what that did.</summary>
public static class Truncation
{
    /// <summary>The pieces of a conversation that has at most <paramref name="maxLength"/> tokens each; none when dropped.</summary>
    /// <param name="tokens">The conversation.</param>
    /// <param name="maxLength">Most tokens, at least 1.</param>
    /// <param name="policy">What becomes of the rest.</param>
    /// <param name="counts">What happened to this one example.</param>
    public static IReadOnlyList<TokenizedConversation> Apply(
        TokenizedConversation tokens, int maxLength, TruncationPolicy policy, out TruncationCounts counts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 1);
        var isWhole = tokens.Count <= maxLength;
        var pieces = isWhole ? [tokens] : Cut(tokens, maxLength, policy);
        counts = new TruncationCounts
        {
            Examples = 1,
            Whole = isWhole ? 1 : 0,
            Cut = !isWhole && policy is (TruncationPolicy.KeepStart or TruncationPolicy.KeepEnd) ? 1 : 0,
            Split = !isWhole && policy == TruncationPolicy.Split ? 1 : 0,
            Dropped = pieces.Count == 0 ? 1 : 0,
            Unlabelled = pieces.Count(piece => piece.LabelCount == 0),
            TokensLost = tokens.Count - pieces.Sum(piece => (long)piece.Count),
        };
        return pieces;
    }

    private static List<TokenizedConversation> Cut(TokenizedConversation tokens, int maxLength, TruncationPolicy policy)
    {
        switch (policy)
        {
            case TruncationPolicy.KeepStart: return [tokens.Slice(0, maxLength)];
            case TruncationPolicy.KeepEnd: return [tokens.Slice(tokens.Count - maxLength, maxLength)];
            case TruncationPolicy.Drop: return [];
        }
        var pieces = new List<TokenizedConversation>();
        for (var start = 0; start < tokens.Count; start += maxLength)
            pieces.Add(tokens.Slice(start, Math.Min(maxLength, tokens.Count - start)));
        return pieces;
    }
}
