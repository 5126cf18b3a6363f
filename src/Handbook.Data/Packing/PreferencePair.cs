namespace Handbook.Data.Packing;

/// <summary>A prompt and two answers to it, as token ids.</summary>
/// <param name="Prompt">What both answers continue; never empty.</param>
/// <param name="Chosen">The better answer, with its end-of-turn token.</param>
/// <param name="Rejected">The worse answer, with its end-of-turn token.</param>
/// <param name="ExampleId">The source example.</param>
public sealed record PreferencePair(int[] Prompt, int[] Chosen, int[] Rejected, long ExampleId)
{
    /// <summary>Tokens of a row that holds the pair.</summary>
    public int TokenCount => Prompt.Length + Chosen.Length + Rejected.Length;

    /// <summary>
    /// The pair as one row of three segments, prompt, chosen, rejected: both answers see the prompt, not each other, and
    /// all their tokens are labels. Segments 3i, 3i+1, 3i+2 of concatenated pairs are pair i's.
    /// </summary>
    /// <param name="promptLabels">Labels on the prompt too (ORPO's likelihood term covers it).</param>
    public TokenBatch ToSharedPrefix(bool promptLabels = false)
    {
        var mask = new bool[TokenCount];
        mask.AsSpan(promptLabels ? 0 : Prompt.Length).Fill(true);
        var layout = new SequenceLayout(
            new Segment(0, Prompt.Length),
            new Segment(Prompt.Length, Chosen.Length, Prompt.Length, 0),
            new Segment(Prompt.Length + Chosen.Length, Rejected.Length, Prompt.Length, 0));
        return new TokenBatch([.. Prompt, .. Chosen, .. Rejected], mask, layout, [ExampleId]);
    }

    /// <summary>The pair as two whole sequences, prompt+chosen and prompt+rejected: what the shared form must agree with.</summary>
    /// <param name="promptLabels">Labels on the prompts too.</param>
    public TokenBatch ToSeparate(bool promptLabels = false)
    {
        var mask = new bool[TokenCount + Prompt.Length];
        mask.AsSpan(promptLabels ? 0 : Prompt.Length, Chosen.Length + (promptLabels ? Prompt.Length : 0)).Fill(true);
        mask.AsSpan(mask.Length - Rejected.Length - (promptLabels ? Prompt.Length : 0)).Fill(true);
        return new TokenBatch([.. Prompt, .. Chosen, .. Prompt, .. Rejected], mask,
            SequenceLayout.Documents([Prompt.Length + Chosen.Length, Prompt.Length + Rejected.Length]), [ExampleId]);
    }
}
