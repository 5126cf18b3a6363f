using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// APO-zero (D'Oosterlinck et al. 2024, arXiv:2408.06266, eq. 7), for answers better than the model's: 1 - sigmoid(beta *
/// chosen) + sigmoid(beta * rejected), on log-ratios.
/// </summary>
public static class ApoZeroLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var chosen = tape.Sigmoid(tape.Scale(pairs.ChosenLogratios, settings.Beta));
        var rejected = tape.Sigmoid(tape.Scale(pairs.RejectedLogratios, settings.Beta));
        return tape.AddConstant(tape.Subtract(rejected, chosen), 1);
    }
}
