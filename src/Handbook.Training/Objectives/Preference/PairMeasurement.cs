using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Data.Packing;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>The pairs of a batch under the policy and its reference.</summary>
/// <param name="Chosen">log pi(chosen | prompt), [pairs].</param>
/// <param name="Rejected">log pi(rejected | prompt), [pairs].</param>
/// <param name="ReferenceChosen">The reference's log-probability of chosen, [pairs].</param>
/// <param name="ReferenceRejected">The reference's log-probability of rejected, [pairs].</param>
/// <param name="Answers">Both answers of every pair: chosen, rejected, chosen, rejected ...</param>
public sealed record PairMeasurement(
    Variable Chosen, Variable Rejected, Tensor ReferenceChosen, Tensor ReferenceRejected, AnswerMeasurement Answers)
{
    /// <summary>Number of pairs.</summary>
    public int PairCount => Answers.Segments.Length / 2;

    /// <summary>Segments of the chosen answers.</summary>
    public IEnumerable<int> ChosenSegments => Answers.Segments.Where((_, i) => i % 2 == 0);

    /// <summary>Segments of the rejected answers.</summary>
    public IEnumerable<int> RejectedSegments => Answers.Segments.Where((_, i) => i % 2 == 1);

    /// <summary>Runs the policy over a batch of pairs.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="policy">The model.</param>
    /// <param name="reference">What it is held against.</param>
    /// <param name="batch">Pairs.</param>
    /// <param name="tailWeight">Weight of an answer's tokens beyond the length of its rival (LD-DPO, arXiv:2409.06411); null: 1.</param>
    public static PairMeasurement Of(Tape tape, IPolicy policy, IReferenceLogps reference, TokenBatch batch, double? tailWeight = null)
    {
        var answers = AnswerMeasurement.Of(
            tape, policy, reference, batch, tailWeight is { } weight ? labels => TailWeights(labels, batch.Answers, weight) : null);
        var (chosen, rejected) = (Side(answers, 0), Side(answers, 1));
        return new PairMeasurement(
            tape.IndexSelect(answers.Logps, 0, chosen), tape.IndexSelect(answers.Logps, 0, rejected),
            answers.Reference.IndexSelect(0, chosen), answers.Reference.IndexSelect(0, rejected), answers);
    }

    /// <summary>The same with log-probabilities averaged over the answers' tokens.</summary>
    public PairMeasurement PerToken(Tape tape)
    {
        var (chosen, rejected) = TokenCounts();
        return this with
        {
            Chosen = tape.Divide(Chosen, new Variable(chosen)),
            Rejected = tape.Divide(Rejected, new Variable(rejected)),
            ReferenceChosen = ReferenceChosen.Divide(chosen),
            ReferenceRejected = ReferenceRejected.Divide(rejected),
        };
    }

    /// <summary>Tokens of the chosen and of the rejected answers, at least 1, [pairs] each.</summary>
    public (Tensor Chosen, Tensor Rejected) TokenCounts() => Split(Answers.TokenCounts());

    /// <summary>WPO's weight of each pair, exp(chosen + rejected) of <see cref="AnswerMeasurement.LogWeights"/>, [pairs].</summary>
    /// <param name="limit">The most that a weight may be; null for no limit.</param>
    public Tensor Weights(double? limit)
    {
        using var silent = new Tape(isRecording: false);
        var (chosen, rejected) = Split(Answers.LogWeights());
        var logs = silent.Clamp(new Variable(chosen.Add(rejected)), double.NegativeInfinity,
            limit is { } most ? Math.Log(most) : double.PositiveInfinity);
        return silent.Exp(logs).Value;
    }

    /// <summary>Scores of the pairs as losses see them.</summary>
    public PairScores Scores(Tape tape, Divergence divergence) => Scores(tape, divergence, TokenCounts());

    /// <summary>Scores of pairs whose lengths are given.</summary>
    public PairScores Scores(Tape tape, Divergence divergence, (Tensor Chosen, Tensor Rejected) tokenCounts) => PairScores.Of(
        tape, divergence, Chosen, Rejected, new Variable(ReferenceChosen), new Variable(ReferenceRejected),
        new Variable(tokenCounts.Chosen), new Variable(tokenCounts.Rejected));

    private (Tensor Chosen, Tensor Rejected) Split(Tensor answers) =>
        (answers.IndexSelect(0, Side(Answers, 0)), answers.IndexSelect(0, Side(Answers, 1)));

    private static Tensor Side(AnswerMeasurement answers, int side) =>
        AnswerMeasurement.Index(Enumerable.Range(0, answers.Segments.Length / 2).Select(pair => 2 * pair + side))
            .To(answers.Logps.Value.Device);

    private static double[] TailWeights(BatchLabels labels, int[] answers, double weight)
    {
        var weights = new double[labels.Labels.Length];
        Array.Fill(weights, 1);
        for (var i = 0; i < answers.Length; i++)
        {
            var shared = Math.Min(labels.CountOf(answers[i]), labels.CountOf(answers[i ^ 1]));
            for (var token = shared; token < labels.CountOf(answers[i]); token++)
                weights[labels.Offsets[answers[i]] + token] = weight;
        }
        return weights;
    }
}
