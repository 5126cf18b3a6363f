using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// SLiC's hinge on the margin (Zhao et al. 2023, arXiv:2305.10425): max(0, 1 - beta * margin).
/// </summary>
public static class HingeLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings) =>
        tape.Relu(tape.AddConstant(tape.Scale(pairs.Margins, -settings.Beta), 1));
}
