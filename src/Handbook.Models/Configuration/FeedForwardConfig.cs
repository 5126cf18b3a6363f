using Handbook.Autograd;

namespace Handbook.Models.Configuration;

/// <summary>The feed-forward block.</summary>
/// <param name="Width">Width between the projections (of one expert, where there are several).</param>
/// <param name="Activation">Its non-linearity.</param>
public sealed record FeedForwardConfig(int Width, ActivationKind Activation)
{
    /// <summary>True for down(act(gate(x)) · up(x)), false for down(act(up(x))).</summary>
    public bool IsGated { get; init; } = true;

    /// <summary>True when its projections have biases.</summary>
    public bool HasBias { get; init; }

    /// <summary>The clamped gate that takes the activation's place; null for none.</summary>
    public GateClamp? Clamp { get; init; }

    /// <summary>How tokens choose among several blocks of this kind; null for a single block.</summary>
    public RoutingConfig? Routing { get; init; }
}

/// <summary>gate · sigmoid(alpha · gate) · (up + 1), with gate at most limit and up within ±limit (arXiv:2508.10925).</summary>
/// <param name="Alpha">Steepness of the gate.</param>
/// <param name="Limit">Above 0.</param>
public sealed record GateClamp(double Alpha, double Limit);

/// <summary>Routing of tokens to experts (arXiv:2101.03961 and arXiv:2401.04088).</summary>
/// <param name="ExpertCount">Number of experts.</param>
/// <param name="ExpertsPerToken">How many of them a token goes through, those with the largest router logits.</param>
/// <param name="NormalizesWeights">True when the weights of a token's experts are divided by their sum.</param>
public sealed record RoutingConfig(int ExpertCount, int ExpertsPerToken, bool NormalizesWeights);
