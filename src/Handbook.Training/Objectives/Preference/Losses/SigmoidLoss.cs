using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// DPO (Rafailov et al. 2023, arXiv:2305.18290, eq. 7): -log sigmoid(beta * margin); with label smoothing e the
/// conservative form -(1 - e) log sigmoid(beta * margin) - e log sigmoid(-beta * margin) (Mitchell 2023, cDPO).
/// </summary>
public static class SigmoidLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings) =>
        SmoothedLogistic.Of(tape, tape.Scale(pairs.Margins, settings.Beta), settings.LabelSmoothing);
}
