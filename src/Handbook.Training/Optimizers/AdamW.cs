using System.Runtime.CompilerServices;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101), step for step as
/// <c>torch.optim.AdamW</c>: w ← w (1 - lr λ); m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²;
/// w ← w - lr / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε).
/// </summary>
/// <param name="beta1">Share of the mean gradient that stays.</param>
/// <param name="beta2">Share of the mean square that stays.</param>
/// <param name="epsilon">Added to the root of the mean square.</param>
public sealed class AdamW(double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8) : IFusedRule
{
    /// <inheritdoc/>
    public IReadOnlyList<AverageForm> Averages(long[] shape) => [new("exp_avg", shape), new("exp_avg_sq", shape, IsSigned: false)];

    /// <inheritdoc/>
    public UpdateNumbers Numbers(double learningRate, double weightDecay, long step) => new(
        1 - learningRate * weightDecay,
        learningRate / (1 - Math.Pow(beta1, step)),
        beta1,
        beta2,
        1 / Math.Sqrt(1 - Math.Pow(beta2, step)),
        epsilon);

    /// <inheritdoc/>
    public void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers)
    {
        var (mean, square) = (state[0], state[1]);
        mean.MultiplyInPlace(numbers.Beta1);
        mean.AddInPlace(gradient, 1 - numbers.Beta1);
        square.MultiplyInPlace(numbers.Beta2);
        square.AddInPlace(gradient.Multiply(gradient), 1 - numbers.Beta2);
        var root = Operator.Call("aten::sqrt"u8, default, square).Multiply(numbers.RootFactor).Add(numbers.Epsilon);
        weights.MultiplyInPlace(numbers.WeightFactor);
        weights.AddInPlace(mean.Divide(root), -numbers.StepSize);
    }

    void IFusedRule.ApplyFused(in FusedUpdate update) => update.Run<Formula>();

    private readonly struct Formula : IVectorRule
    {
        public static int StateCount => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Next<V>(
            V weights, V gradient, ref V first, ref V second, in VectorNumbers<V> numbers) where V : unmanaged, ILanes<V>
        {
            first = V.MultiplyAdd(first, numbers.Beta1, gradient * numbers.OneMinusBeta1);
            second = V.MultiplyAdd(second, numbers.Beta2, gradient * gradient * numbers.OneMinusBeta2);
            var root = V.MultiplyAdd(V.Sqrt(second), numbers.RootFactor, numbers.Epsilon);
            return weights * numbers.WeightFactor - numbers.StepSize * (first / root);
        }
    }
}
