using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// Robust DPO (Chowdhury et al. 2024, arXiv:2403.00409): the loss that is unbiased when labels are flipped with
/// probability e: (-(1 - e) log sigmoid(beta * margin) + e log sigmoid(-beta * margin)) / (1 - 2e).
/// </summary>
public static class RobustLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var margins = tape.Scale(pairs.Margins, settings.Beta);
        var clean = tape.Scale(tape.LogSigmoid(margins), -(1 - settings.LabelSmoothing));
        var flipped = tape.Scale(tape.LogSigmoid(tape.Negate(margins)), settings.LabelSmoothing);
        return tape.Scale(tape.Add(clean, flipped), 1 / (1 - 2 * settings.LabelSmoothing));
    }
}
