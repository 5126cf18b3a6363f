using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The pairs of a batch under the policy and its reference.</summary>
/// <param name="Chosen">log pi(chosen | prompt), [pairs].</param>
/// <param name="Rejected">log pi(rejected | prompt), [pairs].</param>
/// <param name="TokenLogps">Log-probabilities of all labels, in the order of <paramref name="Labels"/>.</param>
/// <param name="ReferenceChosen">The reference's log-probability of chosen, [pairs].</param>
/// <param name="ReferenceRejected">The reference's log-probability of rejected, [pairs].</param>
/// <param name="Labels">The labels.</param>
/// <param name="Answers">Segments of chosen, rejected, chosen, rejected ...</param>
/// <param name="Statistics">What the head saw at each label.</param>
public sealed record PairMeasurement(
    Variable Chosen, Variable Rejected, Variable TokenLogps, Tensor ReferenceChosen, Tensor ReferenceRejected,
    BatchLabels Labels, int[] Answers, HeadStatistics Statistics)
{
    /// <summary>Number of pairs.</summary>
    public int PairCount => Answers.Length / 2;

    /// <summary>Segments of the chosen answers.</summary>
    public IEnumerable<int> ChosenSegments => Answers.Where((_, i) => i % 2 == 0);

    /// <summary>Segments of the rejected answers.</summary>
    public IEnumerable<int> RejectedSegments => Answers.Where((_, i) => i % 2 == 1);

    /// <summary>Runs the policy over a batch of pairs.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="policy">The model.</param>
    /// <param name="reference">What it is held against.</param>
    /// <param name="batch">Pairs.</param>
    /// <param name="tailWeight">Weight of an answer's tokens beyond the length of its rival (LD-DPO, arXiv:2409.06411); null: 1.</param>
    public static PairMeasurement Of(Tape tape, IPolicy policy, IReferenceLogps reference, TokenBatch batch, double? tailWeight)
    {
        var labels = BatchLabels.Of(batch);
        var referenceLogps = reference.TokenLogps(batch);
        var states = policy.Forward(tape, batch);
        var (logps, statistics) = LanguageModelHead.Logps(
            tape, states.Hidden, states.Weight, labels.Rows, labels.Labels, states.Bias, states.Options);
        var dtype = logps.Value.DType;
        var weights = tailWeight is { } weight ? TailWeights(labels, batch.Answers, weight).To(dtype) : null;
        var sums = tape.SegmentSum(logps, labels.Offsets, weights);
        var referenceTokens = new Variable(Tensor.From(referenceLogps).To(dtype).To(logps.Value.Device));
        using var silent = new Tape(isRecording: false);
        var referenceSums = silent.SegmentSum(referenceTokens, labels.Offsets, weights).Value;
        var (chosen, rejected) = (Index(batch.Answers, 0), Index(batch.Answers, 1));
        return new PairMeasurement(
            tape.IndexSelect(sums, 0, chosen), tape.IndexSelect(sums, 0, rejected), logps,
            referenceSums.IndexSelect(0, chosen), referenceSums.IndexSelect(0, rejected), labels, batch.Answers, statistics);
    }

    /// <summary>Scores of the pairs as losses see them.</summary>
    public PairScores Scores(Tape tape, Divergence divergence) => Scores(tape, divergence, (ChosenTokenCounts(), RejectedTokenCounts()));

    /// <summary>Scores of pairs whose lengths are given.</summary>
    public PairScores Scores(Tape tape, Divergence divergence, (Tensor Chosen, Tensor Rejected) tokenCounts) => PairScores.Of(
        tape, divergence, Chosen, Rejected, new Variable(ReferenceChosen), new Variable(ReferenceRejected),
        new Variable(tokenCounts.Chosen), new Variable(tokenCounts.Rejected));

    /// <summary>Tokens of the chosen answers, at least 1, [pairs].</summary>
    public Tensor ChosenTokenCounts() => Counts(ChosenSegments);

    /// <summary>Tokens of the rejected answers, at least 1, [pairs].</summary>
    public Tensor RejectedTokenCounts() => Counts(RejectedSegments);

    /// <summary>Sum over the chosen answers' tokens of their negative log-probability, a scalar, and the number of tokens.</summary>
    public (Variable Sum, int Count) ChosenNegativeLikelihood(Tape tape)
    {
        var chosen = ChosenSegments.SelectMany(segment =>
            Enumerable.Range((int)Labels.Offsets[segment], Labels.CountOf(segment)).Select(label => (long)label)).ToArray();
        return (tape.Negate(tape.Sum(tape.IndexSelect(TokenLogps, 0, Tensor.From(chosen)))), chosen.Length);
    }

    private Tensor Counts(IEnumerable<int> segments) =>
        Tensor.From<double>([.. segments.Select(segment => (double)Math.Max(1, Labels.CountOf(segment)))]).To(Chosen.Value.DType);

    private static Tensor Index(int[] answers, int side) =>
        Tensor.From<long>([.. answers.Where((_, i) => i % 2 == side).Select(segment => (long)segment)]);

    private static Tensor TailWeights(BatchLabels labels, int[] answers, double weight)
    {
        var weights = new double[labels.Labels.Length];
        Array.Fill(weights, 1);
        for (var i = 0; i < answers.Length; i++)
        {
            var shared = Math.Min(labels.CountOf(answers[i]), labels.CountOf(answers[i ^ 1]));
            for (var token = shared; token < labels.CountOf(answers[i]); token++)
                weights[labels.Offsets[answers[i]] + token] = weight;
        }
        return Tensor.From(weights);
    }
}
