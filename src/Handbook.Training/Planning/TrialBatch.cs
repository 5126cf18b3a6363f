using Handbook.Data.Packing;

namespace Handbook.Training.Planning;

/// <summary>Smaller micro-batches of the same form, to be tried in place of large ones.</summary>
internal static class TrialBatch
{
    /// <summary>Every segment shorter by one factor; the micro-batch itself where it is no larger.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="tokens">How many tokens to come near to.</param>
    internal static TokenBatch Shrink(this TokenBatch batch, int tokens)
    {
        if (batch.TokenCount <= tokens)
            return batch;
        var factor = (double)tokens / batch.TokenCount;
        var segments = new List<Segment>();
        var (ids, mask) = (new List<int>(), new List<bool>());
        foreach (var segment in batch.Layout.Segments)
        {
            var length = Math.Max(1, (int)Math.Round(segment.Length * factor));
            segments.Add(new Segment(ids.Count, length, segment.Prefix < 0 ? 0 : segments[segment.Prefix].Length, segment.Prefix));
            for (var i = 0; i < length; i++)
            {
                var from = segment.Start + (int)((long)i * segment.Length / length);
                ids.Add(batch.TokenIds[from]);
                mask.Add(batch.LossMask[from]);
            }
            // Every completion keeps something to be measured by.
            mask[^1] |= batch.LossMask.AsSpan(segment.Start, segment.Length).Contains(true);
        }
        return With(batch, [.. ids], [.. mask], new SequenceLayout([.. segments]),
            batch.KlBatch?.Shrink(Math.Max(1, (int)(batch.KlBatch.TokenCount * factor))));
    }

    /// <summary>The same tokens, of which no more than about so many are labels, evenly taken.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="labels">The most labels.</param>
    internal static TokenBatch WithLabels(this TokenBatch batch, int labels)
    {
        if (batch.LossTokenCount <= labels)
            return batch;
        var (mask, every) = ((bool[])batch.LossMask.Clone(), (batch.LossTokenCount + labels - 1) / labels);
        foreach (var segment in batch.Layout.Segments)
        {
            var seen = 0;
            for (var i = segment.Start; i < segment.End; i++)
                mask[i] &= seen++ % every == every - 1 || i == segment.End - 1;
        }
        return With(batch, batch.TokenIds, mask, batch.Layout, batch.KlBatch?.WithLabels(labels));
    }

    private static TokenBatch With(TokenBatch batch, int[] ids, bool[] mask, SequenceLayout layout, TokenBatch? klBatch) =>
        new(ids, mask, layout, batch.ExampleIds, batch.Completions)
        {
            Desirable = batch.Desirable, Margins = batch.Margins, KlBatch = klBatch,
        };
}
