using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>Completions of a batch under the policy and its reference; a completion's log-probability is the sum over its labels.</summary>
/// <param name="Logps">log pi(completion | prompt), [completions].</param>
/// <param name="Reference">The reference's log-probability, [completions].</param>
/// <param name="TokenLogps">Log-probabilities of all labels, in the order of <paramref name="Labels"/>.</param>
/// <param name="Labels">The labels of the batch.</param>
/// <param name="Segments">The completions' segments.</param>
/// <param name="Statistics">What the head saw at each label.</param>
/// <param name="States">What the head read.</param>
public sealed record CompletionMeasurement(
    Variable Logps, Tensor Reference, Variable TokenLogps, BatchLabels Labels, int[] Segments, HeadStatistics Statistics,
    HiddenStates States)
{
    /// <summary>Runs the policy over a batch.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="policy">The model.</param>
    /// <param name="reference">What it is held against.</param>
    /// <param name="batch">Sequences with completions.</param>
    /// <param name="weigh">Weight of every label in its completion's sum; null: 1.</param>
    public static CompletionMeasurement Of(
        Tape tape, IPolicy policy, IReferenceLogps reference, TokenBatch batch, Func<BatchLabels, double[]>? weigh = null)
    {
        var labels = BatchLabels.Of(batch);
        var referenceLogps = reference.TokenLogps(batch);
        var states = policy.Forward(tape, batch);
        var (logps, statistics) = states.Head.TokenLogps(tape, states.Hidden, labels.Rows, labels.Labels);
        var (dtype, device) = (logps.Value.DType, logps.Value.Device);
        var weights = weigh is null ? null : Tensor.From(weigh(labels)).To(dtype).To(device);
        var completions = Index(batch.Completions, device);
        using var silent = new Tape(isRecording: false);
        var referenceTokens = new Variable(referenceLogps.To(device).To(dtype));
        return new CompletionMeasurement(
            tape.IndexSelect(tape.SegmentSum(logps, labels.Offsets, weights), 0, completions),
            silent.SegmentSum(referenceTokens, labels.Offsets, weights).Value.IndexSelect(0, completions),
            logps, labels, batch.Completions, statistics, states);
    }

    /// <summary>Every second completion, from the first (0) or the second (1) on: one side of pairs.</summary>
    public CompletionMeasurement EverySecond(Tape tape, int first)
    {
        var places = Places(first);
        return this with
        {
            Logps = tape.IndexSelect(Logps, 0, places),
            Reference = Reference.IndexSelect(0, places),
            Segments = [.. Segments.Where((_, i) => i % 2 == first)],
        };
    }

    /// <summary>The same with log-probabilities averaged over the completions' tokens.</summary>
    public CompletionMeasurement PerToken(Tape tape)
    {
        var counts = TokenCounts();
        return this with { Logps = tape.Divide(Logps, new Variable(counts)), Reference = Reference.Divide(counts) };
    }

    /// <summary>The completions as one side of pairs, as losses see them.</summary>
    public SideScores Scores(Tape tape, Divergence divergence) =>
        SideScores.Of(tape, divergence, Logps, new Variable(Reference), new Variable(TokenCounts()));

    /// <summary>Labels of every completion, at least 1, [completions], in the type of the log-probabilities.</summary>
    public Tensor TokenCounts() =>
        Tensor.From<double>([.. Segments.Select(segment => (double)Math.Max(1, Labels.CountOf(segment)))]).To(Logps.Value.DType)
            .To(Logps.Value.Device);

    /// <summary>Sum of the negative log-probabilities of the labels of some segments, a scalar, and their number.</summary>
    public (Variable Sum, int Count) NegativeLikelihood(Tape tape, IEnumerable<int> segments)
    {
        int[] labels = [.. segments.SelectMany(segment => Enumerable.Range((int)Labels.Offsets[segment], Labels.CountOf(segment)))];
        return (tape.Negate(tape.Sum(tape.IndexSelect(TokenLogps, 0, Index(labels, Logps.Value.Device)))), labels.Length);
    }

    /// <summary>Indices of every second completion, from this one on.</summary>
    internal Tensor Places(int first) =>
        Index(Enumerable.Range(0, Segments.Length / 2).Select(pair => 2 * pair + first), Logps.Value.Device);

    /// <summary>int64 indices on a device.</summary>
    internal static Tensor Index(IEnumerable<int> indices, Device device) =>
        Tensor.From<long>([.. indices.Select(index => (long)index)]).To(device);
}
