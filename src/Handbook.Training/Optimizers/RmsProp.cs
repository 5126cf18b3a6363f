using System.Runtime.CompilerServices;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// RMSprop (Hinton's lecture 6e) as <c>torch.optim.RMSprop</c> without momentum, not centred: v ← α v + (1 - α) g²;
/// w ← w - lr · g / (√v + ε). Weight decay is decoupled, unlike PyTorch's, which adds it to the gradient.
/// </summary>
/// <param name="alpha">Share of the mean square that stays.</param>
/// <param name="epsilon">Added to its root.</param>
public sealed class RmsProp(double alpha = 0.99, double epsilon = 1e-8) : IFusedRule
{
    /// <inheritdoc/>
    public IReadOnlyList<AverageForm> Averages(long[] shape) => [new("square_avg", shape, IsSigned: false)];

    /// <inheritdoc/>
    public UpdateNumbers Numbers(double learningRate, double weightDecay, long step) =>
        new(1 - learningRate * weightDecay, learningRate, Beta2: alpha, Epsilon: epsilon);

    /// <inheritdoc/>
    public void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers)
    {
        state[0].MultiplyInPlace(numbers.Beta2);
        state[0].AddInPlace(gradient.Multiply(gradient), 1 - numbers.Beta2);
        weights.MultiplyInPlace(numbers.WeightFactor);
        weights.AddInPlace(gradient.Divide(Operator.Call("aten::sqrt"u8, default, state[0]).Add(numbers.Epsilon)), -numbers.StepSize);
    }

    void IFusedRule.ApplyFused(in FusedUpdate update) => update.Run<Formula>();

    private readonly struct Formula : IVectorRule
    {
        public static int StateCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Next<V>(
            V weights, V gradient, ref V first, ref V second, in VectorNumbers<V> numbers) where V : unmanaged, ILanes<V>
        {
            first = V.MultiplyAdd(first, numbers.Beta2, gradient * gradient * numbers.OneMinusBeta2);
            return weights * numbers.WeightFactor - numbers.StepSize * (gradient / (V.Sqrt(first) + numbers.Epsilon));
        }
    }
}
