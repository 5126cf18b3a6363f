using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// KTO on pairs (Ethayarajh et al. 2024, arXiv:2402.01306, as TRL up to 0.8): each side is compared with the batch mean
/// of the other side's log-ratios, at least 0. The mean of the two sides, so that the batch mean equals TRL's over 2 x
/// pairs.
/// </summary>
public static class KtoPairLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var chosenKl = AtLeastZero(tape, tape.Mean(pairs.ChosenLogratios));
        var rejectedKl = AtLeastZero(tape, tape.Mean(pairs.RejectedLogratios));
        var chosen = tape.Sigmoid(tape.Scale(tape.Subtract(pairs.ChosenLogratios, rejectedKl), settings.Beta));
        var rejected = tape.Sigmoid(tape.Scale(tape.Subtract(chosenKl, pairs.RejectedLogratios), settings.Beta));
        return tape.AddConstant(tape.Scale(tape.Add(chosen, rejected), -0.5), 1);
    }

    /// <summary>At exactly 0, where training begins, the gradient passes, as TRL's clamp lets it.</summary>
    private static Variable AtLeastZero(Tape tape, Variable kl) => tape.Clamp(kl, 0, double.PositiveInfinity);
}
