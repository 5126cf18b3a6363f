using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// IPO (Azar et al. 2023, arXiv:2310.12036, eq. 17): (margin - 1 / (2 beta))², on scores averaged over the answers'
/// tokens, as its authors confirmed to TRL (the sum makes the target depend on the length).
/// </summary>
public static class IpoLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var margins = tape.Subtract(
            tape.Divide(pairs.ChosenScores, pairs.ChosenTokenCounts), tape.Divide(pairs.RejectedScores, pairs.RejectedTokenCounts));
        return tape.Square(tape.AddConstant(margins, -1 / (2 * settings.Beta)));
    }
}
