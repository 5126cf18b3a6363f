using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// BCO for pairs (Jung et al. 2024, arXiv:2404.04656, eq. 10): -log sigmoid(r_w - d) - log sigmoid(d - r_l), with rewards
/// r = beta * score and d the mean of all rewards seen.
/// </summary>
public static class BcoPairLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var chosen = tape.LogSigmoid(tape.AddConstant(tape.Scale(pairs.ChosenScores, settings.Beta), -settings.Baseline));
        var rejected = tape.LogSigmoid(tape.AddConstant(tape.Scale(pairs.RejectedScores, -settings.Beta), settings.Baseline));
        return tape.Negate(tape.Add(chosen, rejected));
    }
}
