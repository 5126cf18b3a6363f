using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// AOT without pairing (Melnyk et al. 2024, arXiv:2406.05882): chosen and rejected log-ratios are each sorted over the
/// whole batch before they are compared. TRL before 0.28 calls it <c>aot_pair</c>.
/// </summary>
public static class AotUnpairedLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var margins = tape.Subtract(tape.Sort(pairs.ChosenLogratios, 0), tape.Sort(pairs.RejectedLogratios, 0));
        return SmoothedLogistic.Of(tape, tape.Scale(margins, settings.Beta), settings.LabelSmoothing);
    }
}
