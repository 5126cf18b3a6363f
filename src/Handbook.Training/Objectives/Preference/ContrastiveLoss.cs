using Handbook.Autograd;
using Handbook.Autograd.Elementary;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// Losses of pairs without a reference. A reward is the completion's log-probability, or AlphaPO's (1 - p^-alpha) / alpha (Gupta et al.
/// 2025, arXiv:2501.03884), which tends to it as alpha goes to 0.
/// </summary>
/// <param name="Name">TRL's name (<c>loss_type</c>).</param>
/// <param name="Beta">Factor on rewards; tau of IPO.</param>
/// <param name="LabelSmoothing">Probability that a label is flipped.</param>
/// <param name="Gamma">Margin that SimPO wants.</param>
/// <param name="Alpha">Alpha of AlphaPO; 0 for log-probabilities.</param>
public sealed record ContrastiveLoss(string Name, double Beta, double LabelSmoothing = 0, double Gamma = 0, double Alpha = 0)
{
    private static readonly IReadOnlyList<Form> Forms =
    [
        // CPO (Xu et al. 2024, arXiv:2401.08417): -log sigmoid(beta * margin), and two other losses of the margin.
        new("sigmoid", (tape, margins, loss) => SmoothedLogistic.Of(tape, tape.Scale(margins, loss.Beta), loss.LabelSmoothing)),
        new("hinge", (tape, margins, loss) => tape.Relu(tape.AddConstant(tape.Scale(margins, -loss.Beta), 1))),
        new("ipo", (tape, margins, loss) => tape.Square(tape.AddConstant(margins, -1 / (2 * loss.Beta))), IsPerToken: true),

        // SimPO (Meng et al. 2024, arXiv:2405.14734, eq. 6): -log sigmoid(beta * margin - gamma), with a likelihood term or without.
        new("simpo", SimPo, IsPerToken: true),
        new("alphapo", SimPo, IsPerToken: true, HasLikelihood: false),
    ];

    /// <summary>Names that recipes may use.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Forms.Select(form => form.Name)];

    /// <summary>True when the log-probabilities are means over a completion's tokens, false for sums.</summary>
    public bool IsPerToken => Find().IsPerToken;

    /// <summary>False when the likelihood of the chosen completions takes no part, whatever its weight.</summary>
    public bool HasLikelihood => Find().HasLikelihood;

    /// <summary>Refuses a loss that there is not.</summary>
    /// <exception cref="UserErrorException">The name is unknown.</exception>
    public void Check() => Find();

    /// <summary>The loss of each pair, [pairs].</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="chosen">Log-probabilities of the chosen completions, [pairs].</param>
    /// <param name="rejected">Those of the rejected ones.</param>
    /// <exception cref="UserErrorException">The name is unknown.</exception>
    public Variable PerPair(Tape tape, Variable chosen, Variable rejected) =>
        Find().PerPair(tape, tape.Subtract(Rewards(tape, chosen), Rewards(tape, rejected)), this);

    /// <summary>Rewards before beta, same shape.</summary>
    public Variable Rewards(Tape tape, Variable logps) =>
        Alpha == 0 ? logps : tape.Scale(tape.Expm1(tape.Scale(logps, -Alpha)), -1 / Alpha);

    private static Variable SimPo(Tape tape, Variable margins, ContrastiveLoss loss) =>
        SmoothedLogistic.Of(tape, tape.AddConstant(tape.Scale(margins, loss.Beta), -loss.Gamma), loss.LabelSmoothing);

    private Form Find() => Forms.FirstOrDefault(form => form.Name == Name)
        ?? throw NearestName.Unknown($"loss_type: {Name} is not a loss of CPO", Name, Names);

    private sealed record Form(
        string Name, Func<Tape, Variable, ContrastiveLoss, Variable> PerPair, bool IsPerToken = false, bool HasLikelihood = true);
}
