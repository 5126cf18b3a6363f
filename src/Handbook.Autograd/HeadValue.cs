using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>What one application of the head gave, and how its gradients are had once their factors are known.</summary>
/// <param name="Logps">[labels].</param>
/// <param name="Statistics">What else was seen on the way.</param>
internal sealed record HeadValue(Tensor Logps, HeadStatistics Statistics)
{
    /// <summary>Tensors that <see cref="Gradients"/> reads besides the operands.</summary>
    internal Tensor[] Held { get; init; } = [];

    /// <summary>The wanted gradients of sum(factor * logp), from the same operands and a factor a label.</summary>
    internal required Func<HeadCall, HeadGradients, Tensor, HeadGradients> Gradients { get; init; }
}
