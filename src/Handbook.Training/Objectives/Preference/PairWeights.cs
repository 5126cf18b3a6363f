using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>What pairs and tokens weigh where a method wants them to weigh unequally; plain DPO does not.</summary>
internal static class PairWeights
{
    /// <summary>
    /// WPO's weight of each pair (Zhou et al. 2024, arXiv:2406.11827, eq. 2), [pairs]: how likely the policy itself is to write both
    /// answers, exp(chosen + rejected) of <see cref="LogLikeness"/>.
    /// </summary>
    /// <param name="answers">Chosen, rejected, chosen, rejected ...</param>
    /// <param name="limit">The most that a weight may be; null for no limit.</param>
    internal static Tensor OfLikeness(AnswerMeasurement answers, double? limit)
    {
        using var silent = new Tape(isRecording: false);
        var likeness = LogLikeness(answers);
        var both = likeness.IndexSelect(0, answers.Places(0)).Add(likeness.IndexSelect(0, answers.Places(1)));
        var logs = silent.Clamp(new Variable(both), double.NegativeInfinity,
            limit is { } most ? Math.Log(most) : double.PositiveInfinity);
        return silent.Exp(logs).Value;
    }

    /// <summary>LD-DPO's weight of every label (arXiv:2409.06411): tokens of an answer beyond the length of its rival count less.</summary>
    /// <param name="labels">The labels of a batch.</param>
    /// <param name="answers">Segments of chosen, rejected, chosen, rejected ...</param>
    /// <param name="weight">What they count.</param>
    internal static double[] OfTails(BatchLabels labels, int[] answers, double weight)
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

    /// <summary>
    /// The mean over an answer's tokens of log p(token) - log sum over the vocabulary of p². That sum is the normaliser of the
    /// logits doubled, so the difference is the token's log-probability under doubled logits minus its own. [answers].
    /// </summary>
    private static Tensor LogLikeness(AnswerMeasurement answers)
    {
        using var silent = new Tape(isRecording: false);
        var (states, labels) = (answers.States, answers.Labels);
        var (sharpened, _) = states.Head.Logps(silent, states.Hidden, labels.Rows, labels.Labels, sharpness: 2);
        var difference = new Variable(sharpened.Value.Subtract(answers.TokenLogps.Value));
        var sums = silent.SegmentSum(difference, labels.Offsets).Value;
        return sums.IndexSelect(0, AnswerMeasurement.Index(answers.Segments, sums.Device)).Divide(answers.TokenCounts());
    }
}
