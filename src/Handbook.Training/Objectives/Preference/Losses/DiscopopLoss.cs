using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// DiscoPOP (Lu et al. 2024, arXiv:2406.08414, eq. 5): a blend of logistic and exponential loss of beta * margin,
/// weighted by sigmoid(beta * margin / tau).
/// </summary>
public static class DiscopopLoss
{
    /// <summary>The loss of each pair, [pairs].</summary>
    public static Variable PerPair(Tape tape, PairScores pairs, LossSettings settings)
    {
        var margins = tape.Scale(pairs.Margins, settings.Beta);
        var blend = tape.Sigmoid(tape.Scale(margins, 1 / settings.DiscopopTau));
        var logistic = tape.Negate(tape.LogSigmoid(margins));
        var exponential = tape.Exp(tape.Negate(margins));
        return tape.Add(logistic, tape.Multiply(blend, tape.Subtract(exponential, logistic)));
    }
}
