using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// APO-down (D'Oosterlinck et al. 2024, arXiv:2408.06266, eq. 8), for answers worse than the model's: sigmoid(beta *
/// chosen) + 1 - sigmoid(beta * margin).
/// </summary>
public static class ApoDownLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var chosen = tape.Sigmoid(tape.Scale(pairs.ChosenLogratios, settings.Beta));
        var margin = tape.Sigmoid(tape.Scale(pairs.Margins, settings.Beta));
        return tape.AddConstant(tape.Subtract(chosen, margin), 1);
    }
}
