using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// AOT for pairs (Melnyk et al. 2024, arXiv:2406.05882): optimal transport in one dimension, so the policy's margins and
/// the reference's are sorted over the whole batch before they are compared.
/// </summary>
public static class AotLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var policy = tape.Sort(tape.Subtract(pairs.ChosenLogps, pairs.RejectedLogps), 0);
        var reference = tape.Sort(tape.Subtract(pairs.ReferenceChosenLogps, pairs.ReferenceRejectedLogps), 0);
        return SmoothedLogistic.Of(tape, tape.Scale(tape.Subtract(policy, reference), settings.Beta), settings.LabelSmoothing);
    }
}
