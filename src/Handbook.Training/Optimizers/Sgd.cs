using System.Runtime.Intrinsics;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>Plain gradient descent, w ← w (1 - lr λ) - lr g: <c>torch.optim.SGD</c> without momentum.</summary>
public sealed class Sgd : IUpdateRule, IVectorRule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> StateNames { get; } = [];

    static int IVectorRule.StateCount => 0;

    /// <inheritdoc/>
    public UpdateNumbers Numbers(double learningRate, double weightDecay, long step) => new(1 - learningRate * weightDecay, learningRate);

    /// <inheritdoc/>
    public void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers)
    {
        weights.MultiplyInPlace(numbers.WeightFactor);
        weights.AddInPlace(gradient, -numbers.StepSize);
    }

    void IUpdateRule.ApplyFused(in FusedUpdate update) => update.Run<Sgd>();

    static Vector512<float> IVectorRule.Next(
        Vector512<float> weights, Vector512<float> gradient, ref Vector512<float> first, ref Vector512<float> second, in VectorNumbers numbers) =>
        weights * numbers.WeightFactor - numbers.StepSize * gradient;
}
