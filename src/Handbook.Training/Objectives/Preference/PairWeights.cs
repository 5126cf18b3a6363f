using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>What pairs and tokens weigh where a method wants them to weigh unequally; plain DPO does not.</summary>
internal static class PairWeights
{
    /// <summary>
    /// WPO's weight of each pair (Zhou et al. 2024, arXiv:2406.11827, eq. 2), [pairs]: how likely the policy itself is to write both
    /// completions, exp(chosen + rejected) of <see cref="LogLikeness"/>.
    /// </summary>
    /// <param name="completions">Chosen, rejected, chosen, rejected ...</param>
    /// <param name="limit">The most that a weight may be; null for no limit.</param>
    internal static Tensor OfLikeness(CompletionMeasurement completions, double? limit)
    {
        using var silent = new Tape(isRecording: false);
        var likeness = LogLikeness(completions);
        var both = likeness.IndexSelect(0, completions.Places(0)).Add(likeness.IndexSelect(0, completions.Places(1)));
        var logs = silent.Clamp(new Variable(both), double.NegativeInfinity,
            limit is { } most ? Math.Log(most) : double.PositiveInfinity);
        return silent.Exp(logs).Value;
    }

    /// <summary>LD-DPO's weight of every label (arXiv:2409.06411): a completion's tokens beyond its rival's length count less.</summary>
    /// <param name="labels">The labels of a batch.</param>
    /// <param name="completions">Segments of chosen, rejected, chosen, rejected ...</param>
    /// <param name="weight">What they count.</param>
    internal static double[] OfTails(BatchLabels labels, int[] completions, double weight)
    {
        var weights = new double[labels.Labels.Length];
        Array.Fill(weights, 1);
        for (var i = 0; i < completions.Length; i++)
        {
            var shared = Math.Min(labels.CountOf(completions[i]), labels.CountOf(completions[i ^ 1]));
            for (var token = shared; token < labels.CountOf(completions[i]); token++)
                weights[labels.Offsets[completions[i]] + token] = weight;
        }
        return weights;
    }

    /// <summary>
    /// The mean over a completion's tokens of log p(token) - log sum over the vocabulary of p². That sum is the normaliser of the
    /// logits doubled, so the difference is the token's log-probability under doubled logits minus its own. [completions].
    /// </summary>
    private static Tensor LogLikeness(CompletionMeasurement completions)
    {
        using var silent = new Tape(isRecording: false);
        var (states, labels) = (completions.States, completions.Labels);
        var (sharpened, _) = states.Head.TokenLogps(silent, states.Hidden, labels.Rows, labels.Labels, sharpness: 2);
        var difference = new Variable(sharpened.Value.Subtract(completions.TokenLogps.Value));
        var sums = silent.SegmentSum(difference, labels.Offsets).Value;
        return sums.IndexSelect(0, CompletionMeasurement.Index(completions.Segments, sums.Device)).Divide(completions.TokenCounts());
    }
}
