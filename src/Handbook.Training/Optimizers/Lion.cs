using System.Runtime.Intrinsics;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// Lion (Chen et al. 2023, arXiv:2302.06675): w ← w (1 - lr λ) - lr · sign(β₁ m + (1 - β₁) g); m ← β₂ m + (1 - β₂) g.
/// </summary>
/// <param name="beta1">Share of the momentum in the direction.</param>
/// <param name="beta2">Share of the momentum that stays.</param>
public sealed class Lion(double beta1 = 0.9, double beta2 = 0.99) : IUpdateRule, IVectorRule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> StateNames { get; } = ["exp_avg"];

    static int IVectorRule.StateCount => 1;

    /// <inheritdoc/>
    public UpdateNumbers Numbers(double learningRate, double weightDecay, long step) =>
        new(1 - learningRate * weightDecay, learningRate, beta1, beta2);

    /// <inheritdoc/>
    public void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers)
    {
        var direction = state[0].Multiply(numbers.Beta1).Add(gradient, 1 - numbers.Beta1);
        weights.MultiplyInPlace(numbers.WeightFactor);
        weights.AddInPlace(Operator.Call("aten::sign"u8, default, direction), -numbers.StepSize);
        state[0].MultiplyInPlace(numbers.Beta2);
        state[0].AddInPlace(gradient, 1 - numbers.Beta2);
    }

    void IUpdateRule.ApplyFused(in FusedUpdate update) => update.Run<Lion>();

    static Vector512<float> IVectorRule.Next(
        Vector512<float> weights, Vector512<float> gradient, ref Vector512<float> first, ref Vector512<float> second, in VectorNumbers numbers)
    {
        var direction = Vector512.FusedMultiplyAdd(first, numbers.Beta1, gradient * numbers.OneMinusBeta1);
        first = Vector512.FusedMultiplyAdd(first, numbers.Beta2, gradient * numbers.OneMinusBeta2);
        var zero = Vector512<float>.Zero;
        var one = Vector512<float>.One;
        var sign = Vector512.ConditionalSelect(Vector512.GreaterThan(direction, zero), one, zero)
            - Vector512.ConditionalSelect(Vector512.LessThan(direction, zero), one, zero);
        return weights * numbers.WeightFactor - numbers.StepSize * sign;
    }
}
