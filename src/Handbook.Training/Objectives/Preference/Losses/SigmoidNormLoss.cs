using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// DPO on scores averaged over the answers' tokens: -log sigmoid(beta * (chosen / |chosen| - rejected / |rejected|)),
/// TRL's <c>sigmoid_norm</c>.
/// </summary>
public static class SigmoidNormLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var margins = tape.Subtract(
            tape.Divide(pairs.ChosenScores, pairs.ChosenTokenCounts), tape.Divide(pairs.RejectedScores, pairs.RejectedTokenCounts));
        return SmoothedLogistic.Of(tape, tape.Scale(margins, settings.Beta), settings.LabelSmoothing);
    }
}
