using Handbook.Data.Packing;

namespace Handbook.Training.Objectives;

/// <summary>The labels of a batch in the head's form, sequence by sequence.</summary>
/// <param name="Rows">For each label the token it is predicted from.</param>
/// <param name="Labels">The labels: token ids.</param>
/// <param name="Offsets">For each segment of the layout the index of its first label, and the number of labels at the end.</param>
public sealed record BatchLabels(int[] Rows, int[] Labels, long[] Offsets)
{
    /// <summary>Gathers the tokens that count in the loss.</summary>
    public static BatchLabels Of(TokenBatch batch)
    {
        var predecessors = batch.Layout.Predecessors();
        var rows = new int[batch.LossTokenCount];
        var labels = new int[batch.LossTokenCount];
        var offsets = new long[batch.Layout.Segments.Length + 1];
        var count = 0;
        for (var i = 0; i < batch.Layout.Segments.Length; i++)
        {
            var segment = batch.Layout.Segments[i];
            offsets[i] = count;
            for (var token = segment.Start; token < segment.End; token++)
            {
                if (!batch.LossMask[token])
                    continue;
                rows[count] = predecessors[token];
                labels[count++] = batch.TokenIds[token];
            }
        }
        offsets[^1] = count;
        return new BatchLabels(rows, labels, offsets);
    }

    /// <summary>Number of labels of a segment.</summary>
    public int CountOf(int segment) => (int)(Offsets[segment + 1] - Offsets[segment]);
}
