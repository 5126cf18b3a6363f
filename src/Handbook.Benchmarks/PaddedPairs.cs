using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;

namespace Handbook.Benchmarks;

/// <summary>
/// DPO's loss the way TRL computes it, as a yardstick: chosen and rejected, each with its prompt, are padded to the longest of
/// the micro-batch and run as one [2 pairs, longest] pass, with log-probabilities at all positions, of which those of the
/// completions are used. The reference's log-probabilities are given, as TRL's are when computed beforehand.
/// </summary>
/// <param name="policy">The model.</param>
/// <param name="reference">Knows the pairs' shared-prefix rows.</param>
/// <param name="settings">Numbers of the loss.</param>
public sealed class PaddedPairs(IPolicy policy, IReferenceLogps reference, LossSettings settings)
{
    /// <summary>Mean sigmoid loss of the pairs.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="pairs">The micro-batch.</param>
    /// <param name="padding">Id of the padding token.</param>
    public Variable Loss(Tape tape, IReadOnlyList<PreferencePair> pairs, int padding)
    {
        var (batch, weights) = Pad(pairs, padding);
        var states = policy.Forward(tape, batch);
        var labels = BatchLabels.Of(batch);
        var logps = states.Head.TokenLogps(tape, states.Hidden, labels.Rows, labels.Labels).Logps;
        var sums = tape.SegmentSum(logps, labels.Offsets, Tensor.From(weights).To(logps.Value.DType));
        var first = Enumerable.Range(0, pairs.Count).Select(i => (long)i).ToArray();
        var second = first.Select(i => i + pairs.Count).ToArray();
        var (chosen, rejected) = (tape.IndexSelect(sums, 0, Tensor.From(first)), tape.IndexSelect(sums, 0, Tensor.From(second)));
        var (referenceChosen, referenceRejected) = Reference(pairs, logps.Value.DType);
        var divergence = new Divergence();
        var scores = PairScores.Of(
            tape, SideScores.Of(tape, divergence, chosen, referenceChosen, Counts(pairs, pair => pair.Chosen, logps.Value.DType)),
            SideScores.Of(tape, divergence, rejected, referenceRejected, Counts(pairs, pair => pair.Rejected, logps.Value.DType)));
        return tape.Scale(tape.Sum(PreferenceLossTable.Rows[0].PerPair!(tape, scores, settings)), 1.0 / pairs.Count);
    }

    /// <summary>Places that a micro-batch takes, padding included.</summary>
    public static int PlaceCount(IReadOnlyList<PreferencePair> pairs) => 2 * pairs.Count * LongestRow(pairs);

    private static int LongestRow(IReadOnlyList<PreferencePair> pairs) =>
        pairs.Max(pair => pair.Prompt.Length + Math.Max(pair.Chosen.Length, pair.Rejected.Length));

    /// <summary>The padded rows, every token a label, and which labels count.</summary>
    private static (TokenBatch Batch, float[] Weights) Pad(IReadOnlyList<PreferencePair> pairs, int padding)
    {
        var (rows, length) = (2 * pairs.Count, LongestRow(pairs));
        var ids = new int[rows * length];
        Array.Fill(ids, padding);
        // The first token of a row is no label: a row has one label fewer than places.
        var weights = new float[rows * (length - 1)];
        for (var row = 0; row < rows; row++)
        {
            var pair = pairs[row % pairs.Count];
            var completion = row < pairs.Count ? pair.Chosen : pair.Rejected;
            pair.Prompt.CopyTo(ids, row * length);
            completion.CopyTo(ids, row * length + pair.Prompt.Length);
            var begin = Math.Max(0, pair.Prompt.Length - 1);
            weights.AsSpan(row * (length - 1) + begin, pair.Prompt.Length + completion.Length - 1 - begin).Fill(1);
        }
        var mask = new bool[ids.Length];
        Array.Fill(mask, true);
        var layout = SequenceLayout.Documents([.. Enumerable.Repeat(length, rows)]);
        return (new TokenBatch(ids, mask, layout, [.. pairs.Select(pair => pair.ExampleId)]), weights);
    }

    private (Variable Chosen, Variable Rejected) Reference(IReadOnlyList<PreferencePair> pairs, DType dtype)
    {
        var batch = TokenBatch.Concatenate([.. pairs.Select(pair => pair.ToSharedPrefix())]);
        var offsets = BatchLabels.Of(batch).Offsets;
        using var tensor = reference.TokenLogps(batch);
        var logps = tensor.ToArray<double>();
        var sums = batch.Completions.Select(completion => logps[(int)offsets[completion]..(int)offsets[completion + 1]].Sum()).ToArray();
        return (Column(0), Column(1));

        Variable Column(int side) => new(Tensor.From<double>([.. sums.Where((_, i) => i % 2 == side)]).To(dtype));
    }

    private static Variable Counts(IReadOnlyList<PreferencePair> pairs, Func<PreferencePair, int[]> completion, DType dtype) =>
        new(Tensor.From<double>([.. pairs.Select(pair => (double)completion(pair).Length)]).To(dtype));
}
