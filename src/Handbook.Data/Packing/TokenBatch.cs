namespace Handbook.Data.Packing;

/// <summary>
/// What training computes at once: one run of tokens, never padded, the layout of its sequences, and which tokens count in
/// the loss. A packed row is one, a preference pair is one, and several put together are one again.
/// </summary>
public sealed class TokenBatch
{
    /// <summary>Takes over the arrays. A token that nothing comes before can not be predicted: its mask is cleared.</summary>
    /// <exception cref="ArgumentException">Ids, mask and layout differ in length.</exception>
    /// <param name="tokenIds">Token ids, [T].</param>
    /// <param name="lossMask">True where the token is a label, [T].</param>
    /// <param name="layout">Where sequences begin and end.</param>
    /// <param name="exampleIds">Source examples.</param>
    /// <param name="completions">Segments that are completions to compare; null for none.</param>
    public TokenBatch(int[] tokenIds, bool[] lossMask, SequenceLayout layout, long[] exampleIds, int[]? completions = null)
    {
        if (tokenIds.Length != layout.Length || lossMask.Length != layout.Length)
            throw new ArgumentException($"{tokenIds.Length} tokens and {lossMask.Length} marks in a layout of {layout.Length}",
                nameof(layout));
        foreach (var segment in layout.Segments)
        {
            if (segment.Prefix < 0)
                lossMask[segment.Start] = false;
        }
        TokenIds = tokenIds;
        LossMask = lossMask;
        Layout = layout;
        ExampleIds = exampleIds;
        Completions = completions ?? [];
        foreach (var counts in lossMask)
            LossTokenCount += counts ? 1 : 0;
    }

    /// <summary>Token ids, [T].</summary>
    public int[] TokenIds { get; }

    /// <summary>
    /// True where the token is a label, [T]: it is predicted from its predecessor (<see cref="SequenceLayout.Predecessors"/>).
    /// </summary>
    public bool[] LossMask { get; }

    /// <summary>Where sequences begin and end, and what they may see.</summary>
    public SequenceLayout Layout { get; }

    /// <summary>Source examples that stand here, in order: what an error about this batch names.</summary>
    public long[] ExampleIds { get; }

    /// <summary>
    /// Indices of the segments that are completions to compare: chosen, rejected, chosen, rejected ... of preference pairs, one
    /// completion an example of unpaired data; empty elsewhere.
    /// </summary>
    public int[] Completions { get; }

    /// <summary>One a completion of unpaired data, true for a completion that was liked; empty elsewhere.</summary>
    public bool[] Desirable { get; init; } = [];

    /// <summary>One a pair: by how much chosen should score above rejected; empty where the data give none.</summary>
    public double[] Margins { get; init; } = [];

    /// <summary>
    /// The prompts of unpaired data with the completion of another example each, from which KTO estimates its KL; null elsewhere.
    /// </summary>
    public TokenBatch? KlBatch { get; init; }

    /// <summary>Number of tokens.</summary>
    public int TokenCount => TokenIds.Length;

    /// <summary>Number of tokens that count in the loss; an accumulated batch is normalised by the sum of these.</summary>
    public int LossTokenCount { get; }

    /// <summary>Puts batches one after the other; sequences of different batches do not see each other.</summary>
    public static TokenBatch Concatenate(IReadOnlyList<TokenBatch> batches)
    {
        if (batches.Count == 1)
            return batches[0];
        var tokenIds = new List<int>();
        var lossMask = new List<bool>();
        var segments = new List<Segment>();
        var completions = new List<int>();
        foreach (var batch in batches)
        {
            var (firstToken, firstSegment) = (tokenIds.Count, segments.Count);
            foreach (var segment in batch.Layout.Segments)
            {
                var prefix = segment.Prefix < 0 ? -1 : segment.Prefix + firstSegment;
                segments.Add(segment with { Start = segment.Start + firstToken, Prefix = prefix });
            }
            completions.AddRange(batch.Completions.Select(completion => completion + firstSegment));
            tokenIds.AddRange(batch.TokenIds);
            lossMask.AddRange(batch.LossMask);
        }
        TokenBatch[] klBatches = [.. batches.Select(batch => batch.KlBatch).OfType<TokenBatch>()];
        return new TokenBatch(
            [.. tokenIds], [.. lossMask], new SequenceLayout([.. segments]), [.. batches.SelectMany(b => b.ExampleIds)], [.. completions])
        {
            Desirable = [.. batches.SelectMany(batch => batch.Desirable)],
            Margins = batches.Any(batch => batch.Margins.Length > 0) ? [.. batches.SelectMany(MarginsOf)] : [],
            KlBatch = klBatches.Length == 0 ? null : Concatenate(klBatches),
        };
    }

    private static double[] MarginsOf(TokenBatch batch) =>
        batch.Margins.Length > 0 ? batch.Margins : new double[batch.Completions.Length / 2];
}
