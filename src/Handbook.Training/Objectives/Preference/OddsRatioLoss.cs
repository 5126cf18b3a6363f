using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// ORPO's odds ratio (Hong et al. 2024, arXiv:2403.07691, eq. 4 and 7) of completions' mean log-probabilities: log odds p / (1 - p) of
/// chosen minus those of rejected; the loss is -beta * log sigmoid of it.
/// </summary>
public static class OddsRatioLoss
{
    /// <summary>A completion of probability 1 has infinite odds; so near to it they stop growing.</summary>
    private const double LargestLogp = -1e-10;

    /// <summary>Log odds of chosen over rejected, [pairs].</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="chosen">Mean log-probability of the tokens of each chosen completion, [pairs].</param>
    /// <param name="rejected">The same of the rejected ones.</param>
    public static Variable LogOdds(Tape tape, Variable chosen, Variable rejected) =>
        tape.Subtract(LogOdds(tape, chosen), LogOdds(tape, rejected));

    /// <summary>log sigmoid of the log odds, [pairs]; what the loss is made of and <c>log_odds_ratio</c> reports.</summary>
    public static Variable Ratios(Tape tape, Variable logOdds) => tape.LogSigmoid(logOdds);

    private static Variable LogOdds(Tape tape, Variable logps)
    {
        var capped = tape.Clamp(logps, double.NegativeInfinity, LargestLogp);
        return tape.Subtract(capped, tape.Log(tape.Negate(tape.Expm1(capped))));
    }
}
