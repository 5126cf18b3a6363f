using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The answers of a batch under the policy and its reference; an answer's log-probability is the sum over its labels.</summary>
/// <param name="Logps">log pi(answer | prompt), [answers].</param>
/// <param name="Reference">The reference's log-probability, [answers].</param>
/// <param name="TokenLogps">Log-probabilities of all labels, in the order of <paramref name="Labels"/>.</param>
/// <param name="Labels">The labels.</param>
/// <param name="Segments">The answers' segments.</param>
/// <param name="Statistics">What the head saw at each label.</param>
/// <param name="States">What the head read.</param>
public sealed record AnswerMeasurement(
    Variable Logps, Tensor Reference, Variable TokenLogps, BatchLabels Labels, int[] Segments, HeadStatistics Statistics,
    HiddenStates States)
{
    /// <summary>Runs the policy over a batch.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="policy">The model.</param>
    /// <param name="reference">What it is held against.</param>
    /// <param name="batch">Sequences with answers.</param>
    /// <param name="weigh">Weight of every label in its answer's sum; null: 1.</param>
    public static AnswerMeasurement Of(
        Tape tape, IPolicy policy, IReferenceLogps reference, TokenBatch batch, Func<BatchLabels, double[]>? weigh = null)
    {
        var labels = BatchLabels.Of(batch);
        var referenceLogps = reference.TokenLogps(batch);
        var states = policy.Forward(tape, batch);
        var (logps, statistics) = states.Head.Logps(tape, states.Hidden, labels.Rows, labels.Labels);
        var (dtype, device) = (logps.Value.DType, logps.Value.Device);
        var weights = weigh is null ? null : Tensor.From(weigh(labels)).To(dtype).To(device);
        var answers = Index(batch.Answers).To(device);
        using var silent = new Tape(isRecording: false);
        var referenceTokens = new Variable(referenceLogps.To(device).To(dtype));
        return new AnswerMeasurement(
            tape.IndexSelect(tape.SegmentSum(logps, labels.Offsets, weights), 0, answers),
            silent.SegmentSum(referenceTokens, labels.Offsets, weights).Value.IndexSelect(0, answers),
            logps, labels, batch.Answers, statistics, states);
    }

    /// <summary>Labels of every answer, at least 1, [answers], in the type of the log-probabilities.</summary>
    public Tensor TokenCounts() =>
        Tensor.From<double>([.. Segments.Select(segment => (double)Math.Max(1, Labels.CountOf(segment)))]).To(Logps.Value.DType)
            .To(Logps.Value.Device);

    /// <summary>Sum of the negative log-probabilities of the labels of some segments, a scalar, and their number.</summary>
    public (Variable Sum, int Count) NegativeLikelihood(Tape tape, IEnumerable<int> segments)
    {
        int[] labels = [.. segments.SelectMany(segment => Enumerable.Range((int)Labels.Offsets[segment], Labels.CountOf(segment)))];
        var sum = tape.Sum(tape.IndexSelect(TokenLogps, 0, Index(labels).To(TokenLogps.Value.Device)));
        return (tape.Negate(sum), labels.Length);
    }

    /// <summary>
    /// How likely the policy itself is to write each answer, as WPO weighs it (Zhou et al. 2024, arXiv:2406.11827, eq. 2), in logs:
    /// the mean over the answer's tokens of log p(token) - log sum over the vocabulary of p². That sum is the normaliser of the
    /// logits doubled, so the difference is the token's log-probability under doubled logits minus its own. [answers].
    /// </summary>
    public Tensor LogWeights()
    {
        using var silent = new Tape(isRecording: false);
        var (sharpened, _) = States.Head.Logps(silent, States.Hidden, Labels.Rows, Labels.Labels, sharpness: 2);
        var difference = new Variable(sharpened.Value.Subtract(TokenLogps.Value));
        var sums = silent.SegmentSum(difference, Labels.Offsets).Value.IndexSelect(0, Index(Segments).To(Logps.Value.Device));
        return sums.Divide(TokenCounts());
    }

    /// <summary>int64 indices.</summary>
    internal static Tensor Index(IEnumerable<int> indices) => Tensor.From<long>([.. indices.Select(index => (long)index)]);
}
