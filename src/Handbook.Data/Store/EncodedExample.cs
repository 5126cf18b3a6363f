namespace Handbook.Data.Store;

/// <summary>What the examples of a store are.</summary>
public enum StoreKind
{
    /// <summary>One sequence with labels: continued pretraining and supervised fine-tuning.</summary>
    Sequences,

    /// <summary>Prompt, chosen, rejected.</summary>
    Pairs,

    /// <summary>Prompt, completion and a verdict.</summary>
    Verdicts,
}

/// <summary>An example as tokens.</summary>
/// <param name="Parts">
/// Token ids: one part for a sequence, prompt and completion for a verdict, prompt, chosen and rejected for a pair.
/// </param>
/// <param name="LossMask">Labels of a sequence, one a token; null for the other kinds, whose completions are labels as a whole.</param>
/// <param name="Desirable">The verdict.</param>
/// <param name="Characters">Unicode code points of the rendered text; what legacy packing counts.</param>
/// <param name="LostTokens">Tokens that prompt and completions lost when they were cut to length.</param>
/// <param name="Margin">By how much a pair's chosen completion should score above the rejected one;
/// null where the data say nothing.</param>
public sealed record EncodedExample(
    int[][] Parts, bool[]? LossMask, bool Desirable = false, int Characters = 0, int LostTokens = 0, double? Margin = null)
{
    /// <summary>First tokens of a pair's prompt that do not stand before the chosen completion.</summary>
    public int UnseenByChosen { get; init; }

    /// <summary>First tokens of a pair's prompt that do not stand before the rejected completion.</summary>
    public int UnseenByRejected { get; init; }

    /// <summary>A sequence.</summary>
    public static EncodedExample Sequence(int[] tokenIds, bool[] lossMask, int characters = 0) =>
        new([tokenIds], lossMask, false, characters);

    /// <summary>A preference pair.</summary>
    public static EncodedExample Pair(int[] prompt, int[] chosen, int[] rejected, int lostTokens = 0, double? margin = null) =>
        new([prompt, chosen, rejected], null, LostTokens: lostTokens, Margin: margin);

    /// <summary>A completion with a verdict.</summary>
    public static EncodedExample Verdict(int[] prompt, int[] completion, bool desirable, int lostTokens = 0) =>
        new([prompt, completion], null, desirable, LostTokens: lostTokens);
}
