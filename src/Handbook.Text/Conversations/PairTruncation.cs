namespace Handbook.Text.Conversations;

/// <summary>Lengths of preference pairs and completions, in tokens; null for no limit.</summary>
public sealed record PairLimits
{
    /// <summary>Most tokens of a prompt with one answer.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Most tokens of the prompt.</summary>
    public int? MaxPromptLength { get; init; }

    /// <summary>Most tokens of an answer (<c>trl-0.19</c> and <c>best</c>).</summary>
    public int? MaxCompletionLength { get; init; }

    /// <summary>Which end of a row stays where it must be cut.</summary>
    public TruncationPolicy Policy { get; init; } = TruncationPolicy.KeepEnd;
}

/// <summary>
/// Cuts pairs by each profile's rules. <c>v0.3</c>: only when the prompt with the longer answer is too long, the prompt
/// keeps its end, then answers keep their start. <c>trl-0.19</c>: prompt and answers to their own limits, then the row.
/// <c>best</c>: an answer is never cut to nothing: the prompt gives way first (keeping its BOS), and a pair whose
/// longer answer does not fit beside one token of prompt is dropped instead of trained on half an answer.
/// </summary>
public static class PairTruncation
{
    /// <summary>The pair within its limits; null when it is dropped.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="profile">Whose rules hold.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="counts">What happened to this one pair.</param>
    public static TokenizedPair? Apply(TokenizedPair pair, TokenizationProfile profile, PairLimits limits, out TruncationCounts counts)
    {
        var result = profile switch
        {
            TokenizationProfile.V03 => CutV03(pair, limits),
            TokenizationProfile.Trl019 => CutTrl019(pair, limits),
            _ => CutBest(pair, limits),
        };
        var lost = pair.Count - (result?.Count ?? 0);
        counts = new TruncationCounts
        {
            Examples = 1,
            Whole = lost == 0 ? 1 : 0,
            Cut = lost > 0 && result is not null ? 1 : 0,
            Dropped = result is null ? 1 : 0,
            Unlabelled = result is not null && (result.Chosen.Length == 0 || result.Rejected.Length == 0) ? 1 : 0,
            TokensLost = lost,
        };
        return result;
    }

    private static TokenizedPair CutV03(TokenizedPair pair, PairLimits limits)
    {
        if (limits.MaxLength is not { } max || pair.Prompt.Length + Longer(pair) <= max)
            return pair;
        var prompt = limits.MaxPromptLength is { } most ? LastOf(pair.Prompt, most) : pair.Prompt;
        if (prompt.Length + Longer(pair) <= max)
            return pair with { Prompt = prompt };
        var room = Math.Max(0, max - (limits.MaxPromptLength ?? 0));
        return new TokenizedPair(prompt, FirstOf(pair.Chosen, room), FirstOf(pair.Rejected, room));
    }

    private static TokenizedPair CutTrl019(TokenizedPair pair, PairLimits limits)
    {
        if (limits.MaxPromptLength is { } most)
            pair = pair with { Prompt = LastOf(pair.Prompt, most) };
        if (limits.MaxCompletionLength is { } longest)
            pair = pair with { Chosen = FirstOf(pair.Chosen, longest), Rejected = FirstOf(pair.Rejected, longest) };
        if (limits.MaxLength is not { } max || pair.Prompt.Length + Longer(pair) <= max)
            return pair;
        if (limits.Policy == TruncationPolicy.KeepStart)
        {
            var room = Math.Max(0, max - pair.Prompt.Length);
            return new TokenizedPair(FirstOf(pair.Prompt, max), FirstOf(pair.Chosen, room), FirstOf(pair.Rejected, room));
        }
        // The row keeps its last tokens: the padded pair shares one prompt, cut by its longer answer.
        var left = Math.Max(0, max - Longer(pair));
        return new TokenizedPair(LastOf(pair.Prompt, left), LastOf(pair.Chosen, max), LastOf(pair.Rejected, max));
    }

    private static TokenizedPair? CutBest(TokenizedPair pair, PairLimits limits)
    {
        if (limits.MaxCompletionLength is { } longest && Longer(pair) > longest)
        {
            if (limits.Policy == TruncationPolicy.Drop)
                return null;
            pair = pair with { Chosen = FirstOf(pair.Chosen, longest), Rejected = FirstOf(pair.Rejected, longest) };
        }
        var room = Math.Min(limits.MaxPromptLength ?? int.MaxValue, (limits.MaxLength ?? int.MaxValue) - Longer(pair));
        if (pair.Prompt.Length <= room)
            return pair;
        if (room < 1 || limits.Policy == TruncationPolicy.Drop)
            return null;
        // The first token is BOS or the start of the template; what went before the last turns can be spared.
        return pair with { Prompt = [pair.Prompt[0], .. LastOf(pair.Prompt, room - 1)] };
    }

    private static int Longer(TokenizedPair pair) => Math.Max(pair.Chosen.Length, pair.Rejected.Length);

    private static int[] FirstOf(int[] ids, int count) => ids.Length <= count ? ids : ids[..count];

    private static int[] LastOf(int[] ids, int count) => ids.Length <= count ? ids : ids[^count..];
}
