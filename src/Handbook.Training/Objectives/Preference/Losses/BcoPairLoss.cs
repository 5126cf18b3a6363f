using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// BCO for pairs (Jung et al. 2024, arXiv:2404.04656) without the running mean: -log sigmoid(r_w) - log sigmoid(-r_l),
/// with rewards r = beta * score.
/// </summary>
public static class BcoPairLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var chosen = tape.LogSigmoid(tape.Scale(pairs.ChosenScores, settings.Beta));
        var rejected = tape.LogSigmoid(tape.Scale(pairs.RejectedScores, -settings.Beta));
        return tape.Negate(tape.Add(chosen, rejected));
    }
}
