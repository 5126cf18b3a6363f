using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// SPPO with hard wins (Wu et al. 2024, arXiv:2405.00675, eq. 4.7 with P = 1 and 0): (chosen - 1 / (2 beta))² + (rejected
/// + 1 / (2 beta))².
/// </summary>
public static class SppoHardLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var winner = tape.Square(tape.AddConstant(pairs.ChosenScores, -0.5 / settings.Beta));
        var loser = tape.Square(tape.AddConstant(pairs.RejectedScores, 0.5 / settings.Beta));
        return tape.Add(winner, loser);
    }
}
