using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference.Losses;

/// <summary>
/// Losses of pairs without a reference: CPO (Xu et al. 2024, arXiv:2401.08417) as <c>sigmoid</c>, <c>hinge</c> and <c>ipo</c>, SimPO
/// (Meng et al. 2024, arXiv:2405.14734, eq. 6) as <c>simpo</c>. A reward is the answer's log-probability, or AlphaPO's
/// (1 - p^-alpha) / alpha (Gupta et al. 2025, arXiv:2501.03884), which tends to it as alpha goes to 0. <c>alphapo</c> is SimPO without
/// a likelihood term.
/// </summary>
/// <param name="Name">TRL's name (<c>loss_type</c>).</param>
/// <param name="Beta">Factor on rewards; tau of IPO.</param>
/// <param name="LabelSmoothing">Probability that a label is flipped.</param>
/// <param name="Gamma">Margin that SimPO wants.</param>
/// <param name="Alpha">Alpha of AlphaPO; 0 for log-probabilities.</param>
public sealed record ContrastiveLoss(string Name, double Beta, double LabelSmoothing = 0, double Gamma = 0, double Alpha = 0)
{
    /// <summary>Names that recipes may use.</summary>
    public static IReadOnlyList<string> Names { get; } = ["sigmoid", "hinge", "ipo", "simpo", "alphapo"];

    /// <summary>True when the log-probabilities are means over an answer's tokens, false for sums.</summary>
    public bool IsPerToken => Name is "ipo" or "simpo" or "alphapo";

    /// <summary>False when the likelihood of the chosen answers takes no part, whatever its weight.</summary>
    public bool HasLikelihood => Name != "alphapo";

    /// <summary>Refuses a loss that there is not.</summary>
    /// <exception cref="UserErrorException">The name is unknown.</exception>
    public void Check()
    {
        if (!Names.Contains(Name))
            throw new UserErrorException($"loss_type: {Name} is not a loss of CPO; there are {string.Join(", ", Names)}.{NearestName.Hint(Name, Names)}");
    }

    /// <summary>The loss of each pair, [pairs].</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="chosen">Log-probabilities of the chosen answers, [pairs].</param>
    /// <param name="rejected">Those of the rejected ones.</param>
    public Variable PerPair(Tape tape, Variable chosen, Variable rejected)
    {
        var margins = tape.Subtract(Rewards(tape, chosen), Rewards(tape, rejected));
        return Name switch
        {
            "sigmoid" => SmoothedLogistic.Of(tape, tape.Scale(margins, Beta), LabelSmoothing),
            "simpo" or "alphapo" => SmoothedLogistic.Of(tape, tape.AddConstant(tape.Scale(margins, Beta), -Gamma), LabelSmoothing),
            "hinge" => tape.Relu(tape.AddConstant(tape.Scale(margins, -Beta), 1)),
            "ipo" => tape.Square(tape.AddConstant(margins, -1 / (2 * Beta))),
            _ => throw new InvalidOperationException($"{Name} is not a loss of CPO"),
        };
    }

    /// <summary>Rewards before beta, same shape.</summary>
    public Variable Rewards(Tape tape, Variable logps) =>
        Alpha == 0 ? logps : tape.Scale(tape.Expm1(tape.Scale(logps, -Alpha)), -1 / Alpha);
}
