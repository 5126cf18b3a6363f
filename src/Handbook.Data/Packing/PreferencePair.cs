namespace Handbook.Data.Packing;

/// <summary>A prompt and two answers to it, as token ids.</summary>
/// <param name="Prompt">What both answers continue.</param>
/// <param name="Chosen">The better answer, with its end-of-turn token.</param>
/// <param name="Rejected">The worse answer, with its end-of-turn token.</param>
/// <param name="ExampleId">The source example.</param>
/// <param name="Margin">By how much chosen should score above rejected (reward models); null where the data give none.</param>
public sealed record PreferencePair(int[] Prompt, int[] Chosen, int[] Rejected, long ExampleId, double? Margin = null)
{
    /// <summary>Tokens of a row that holds the pair.</summary>
    public int TokenCount => Prompt.Length + Chosen.Length + Rejected.Length;

    private double[] Margins => Margin is { } margin ? [margin] : [];

    /// <summary>
    /// The pair as one row of three segments, prompt, chosen, rejected: both answers see the prompt, not each other. Without a
    /// prompt the row is the two answers, whose first tokens are then no labels.
    /// </summary>
    /// <param name="promptLabels">Labels on the prompt too (ORPO's likelihood term covers it).</param>
    public TokenBatch ToSharedPrefix(bool promptLabels = false)
    {
        var mask = new bool[TokenCount];
        mask.AsSpan(promptLabels ? 0 : Prompt.Length).Fill(true);
        int[] ids = [.. Prompt, .. Chosen, .. Rejected];
        if (Prompt.Length == 0)
            return new TokenBatch(ids, mask, SequenceLayout.Documents([Chosen.Length, Rejected.Length]), [ExampleId], [0, 1]) { Margins = Margins };
        var layout = new SequenceLayout(
            new Segment(0, Prompt.Length),
            new Segment(Prompt.Length, Chosen.Length, Prompt.Length, 0),
            new Segment(Prompt.Length + Chosen.Length, Rejected.Length, Prompt.Length, 0));
        return new TokenBatch(ids, mask, layout, [ExampleId], [1, 2]) { Margins = Margins };
    }

    /// <summary>The pair as two whole sequences, each with its own copy of the prompt: the usual way, kept for comparison.</summary>
    public TokenBatch ToSequences()
    {
        int[] ids = [.. Prompt, .. Chosen, .. Prompt, .. Rejected];
        var mask = new bool[ids.Length];
        mask.AsSpan(Prompt.Length, Chosen.Length).Fill(true);
        mask.AsSpan(ids.Length - Rejected.Length).Fill(true);
        var layout = SequenceLayout.Documents([Prompt.Length + Chosen.Length, Prompt.Length + Rejected.Length]);
        return new TokenBatch(ids, mask, layout, [ExampleId], [0, 1]) { Margins = Margins };
    }
}
