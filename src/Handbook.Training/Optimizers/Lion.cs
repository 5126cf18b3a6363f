using System.Runtime.CompilerServices;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// Lion (Chen et al. 2023, arXiv:2302.06675): w ← w (1 - lr λ) - lr · sign(β₁ m + (1 - β₁) g); m ← β₂ m + (1 - β₂) g.
/// </summary>
/// <param name="beta1">Share of the momentum in the direction.</param>
/// <param name="beta2">Share of the momentum that stays.</param>
public sealed class Lion(double beta1 = 0.9, double beta2 = 0.99) : IFusedRule
{
    /// <inheritdoc/>
    public IReadOnlyList<AverageForm> Averages(long[] shape) => [new("exp_avg", shape)];

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

    void IFusedRule.ApplyFused(in FusedUpdate update) => update.Run<Formula>();

    private readonly struct Formula : IVectorRule
    {
        public static int StateCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Next<V>(
            V weights, V gradient, ref V first, ref V second, in VectorNumbers<V> numbers) where V : unmanaged, ILanes<V>
        {
            var direction = V.MultiplyAdd(first, numbers.Beta1, gradient * numbers.OneMinusBeta1);
            first = V.MultiplyAdd(first, numbers.Beta2, gradient * numbers.OneMinusBeta2);
            var zero = default(V);
            var one = V.Create(1);
            var sign = V.Select(V.GreaterThan(direction, zero), one, zero)
                - V.Select(V.GreaterThan(zero, direction), one, zero);
            return weights * numbers.WeightFactor - numbers.StepSize * sign;
        }
    }
}
