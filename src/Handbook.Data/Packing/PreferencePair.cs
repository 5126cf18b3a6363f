namespace Handbook.Data.Packing;

/// <summary>A prompt and two completions to it, as token ids.</summary>
/// <param name="Prompt">What both completions continue.</param>
/// <param name="Chosen">The better completion, with its end-of-turn token.</param>
/// <param name="Rejected">The worse completion, with its end-of-turn token.</param>
/// <param name="ExampleId">The source example.</param>
/// <param name="Margin">By how much chosen should score above rejected (reward models); null where the data give none.</param>
public sealed record PreferencePair(int[] Prompt, int[] Chosen, int[] Rejected, long ExampleId, double? Margin = null)
{
    /// <summary>First tokens of the prompt that do not stand before the chosen completion: it is cut for itself.</summary>
    public int UnseenByChosen { get; init; }

    /// <summary>First tokens of the prompt that do not stand before the rejected completion.</summary>
    public int UnseenByRejected { get; init; }

    /// <summary>Tokens of a row that holds the pair with one prompt.</summary>
    public int TokenCount => Prompt.Length + Chosen.Length + Rejected.Length;

    private int[] ChosenPrompt => Prompt[UnseenByChosen..];

    private int[] RejectedPrompt => Prompt[UnseenByRejected..];

    private double[] Margins => Margin is { } margin ? [margin] : [];

    /// <summary>
    /// The pair as one row of three segments, prompt, chosen, rejected: both completions see the prompt, not each other. Without a
    /// prompt the row is the two completions, whose first tokens are then no labels. Where they see unlike prompts nothing is shared: each
    /// stands behind its own.
    /// </summary>
    /// <param name="promptLabels">Labels on the prompt too (ORPO's likelihood term covers it).</param>
    public TokenBatch ToSharedPrefix(bool promptLabels = false)
    {
        if (UnseenByChosen != UnseenByRejected)
            return Apart(promptLabels);
        var mask = new bool[TokenCount];
        mask.AsSpan(promptLabels ? 0 : Prompt.Length).Fill(true);
        int[] ids = [.. Prompt, .. Chosen, .. Rejected];
        if (Prompt.Length == 0)
            return new TokenBatch(ids, mask, SequenceLayout.Documents([Chosen.Length, Rejected.Length]), [ExampleId], [0, 1])
            {
                Margins = Margins,
            };
        var layout = new SequenceLayout(
            new Segment(0, Prompt.Length),
            new Segment(Prompt.Length, Chosen.Length, Prompt.Length, 0),
            new Segment(Prompt.Length + Chosen.Length, Rejected.Length, Prompt.Length, 0));
        return new TokenBatch(ids, mask, layout, [ExampleId], [1, 2]) { Margins = Margins };
    }

    /// <summary>The pair as two whole sequences, each with its own copy of the prompt: the usual way, kept for comparison.</summary>
    public TokenBatch ToSequences()
    {
        int[] ids = [.. ChosenPrompt, .. Chosen, .. RejectedPrompt, .. Rejected];
        var mask = new bool[ids.Length];
        mask.AsSpan(ChosenPrompt.Length, Chosen.Length).Fill(true);
        mask.AsSpan(ids.Length - Rejected.Length).Fill(true);
        var layout = SequenceLayout.Documents([ChosenPrompt.Length + Chosen.Length, RejectedPrompt.Length + Rejected.Length]);
        return new TokenBatch(ids, mask, layout, [ExampleId], [0, 1]) { Margins = Margins };
    }

    private TokenBatch Apart(bool promptLabels)
    {
        var (ids, mask, segments, completions) = (new List<int>(), new List<bool>(), new List<Segment>(), new List<int>());
        foreach (var (prompt, completion) in new[] { (ChosenPrompt, Chosen), (RejectedPrompt, Rejected) })
        {
            if (prompt.Length > 0)
                segments.Add(new Segment(ids.Count, prompt.Length));
            segments.Add(prompt.Length > 0
                ? new Segment(ids.Count + prompt.Length, completion.Length, prompt.Length, segments.Count - 1)
                : new Segment(ids.Count, completion.Length));
            completions.Add(segments.Count - 1);
            ids.AddRange([.. prompt, .. completion]);
            mask.AddRange([.. Enumerable.Repeat(promptLabels, prompt.Length), .. Enumerable.Repeat(true, completion.Length)]);
        }
        return new TokenBatch([.. ids], [.. mask], new SequenceLayout([.. segments]), [ExampleId], [.. completions]) { Margins = Margins };
    }
}
