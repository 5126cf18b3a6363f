using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// EXO (Ji et al. 2024, arXiv:2402.00856, eq. 16): the reverse KL divergence from the pair's own softmax over beta *
/// scores to the labels (1 - e, e). A smoothing of 0 would be infinite and is taken as 0.001.
/// </summary>
public static class ExoPairLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var smoothing = settings.LabelSmoothing == 0 ? 1e-3 : settings.LabelSmoothing;
        var margins = tape.Scale(pairs.Margins, settings.Beta);
        var opposite = tape.Negate(margins);
        var won = tape.Multiply(tape.Sigmoid(margins), tape.AddConstant(tape.LogSigmoid(margins), -Math.Log(1 - smoothing)));
        var lost = tape.Multiply(tape.Sigmoid(opposite), tape.AddConstant(tape.LogSigmoid(opposite), -Math.Log(smoothing)));
        return tape.Add(won, lost);
    }
}
