using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// NCA for pairs (Chen et al. 2024, arXiv:2402.05369): -log sigmoid(r_w) - ½ log sigmoid(-r_w) - ½ log sigmoid(-r_l),
/// with rewards r = beta * score.
/// </summary>
public static class NcaPairLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var chosen = tape.Scale(pairs.ChosenScores, settings.Beta);
        var rejected = tape.Scale(pairs.RejectedScores, settings.Beta);
        var repelled = tape.Add(tape.LogSigmoid(tape.Negate(chosen)), tape.LogSigmoid(tape.Negate(rejected)));
        return tape.Negate(tape.Add(tape.LogSigmoid(chosen), tape.Scale(repelled, 0.5)));
    }
}
