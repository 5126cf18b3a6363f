using Handbook.Autograd;
using Handbook.Autograd.Elementary;
using Handbook.Torch;

namespace Handbook.Training.Objectives.Preference;

/// <summary>
/// The divergence that holds the policy near its reference (Wang et al. 2023, "Beyond reverse KL", arXiv:2309.16240): a log-ratio u
/// enters the loss as f'(exp(u)), constants dropped.
/// </summary>
/// <param name="Kind">Recipe name.</param>
/// <param name="Alpha">Alpha of the alpha divergence.</param>
public sealed record Divergence(string Kind = "reverse_kl", double Alpha = 1)
{
    /// <summary>Beyond these exp would leave the type.</summary>
    private const double LargestExponent = 80;
    private const double LargestDoubleExponent = 700;

    /// <summary>Names that recipes may use.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"];

    /// <summary>Scores of log-ratios, same shape.</summary>
    /// <exception cref="UserErrorException">The kind is unknown.</exception>
    public Variable Score(Tape tape, Variable logratios) => Kind switch
    {
        "reverse_kl" => logratios,
        "forward_kl" => tape.Negate(tape.Exp(tape.Negate(logratios))),
        "js_divergence" => tape.LogSigmoid(logratios),
        // The limit alpha -> 1 is reverse KL.
        "alpha_divergence" => Math.Abs(Alpha - 1) < 1e-6 ? logratios : Power(tape, logratios),
        _ => throw NearestName.Unknown($"f_divergence_type: {Kind} is not a divergence", Kind, Kinds),
    };

    private Variable Power(Tape tape, Variable logratios)
    {
        var largest = logratios.Value.DType == DType.Float64 ? LargestDoubleExponent : LargestExponent;
        var exponent = tape.Clamp(tape.Scale(logratios, Alpha - 1), double.NegativeInfinity, largest);
        return tape.Scale(tape.Exp(exponent), 1 / (Alpha - 1));
    }
}
