using System.Runtime.CompilerServices;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>Plain gradient descent, w ← w (1 - lr λ) - lr g: <c>torch.optim.SGD</c> without momentum.</summary>
public sealed class Sgd : IFusedRule
{
    /// <inheritdoc/>
    public IReadOnlyList<AverageForm> Averages(long[] shape) => [];

    /// <inheritdoc/>
    public UpdateNumbers Numbers(double learningRate, double weightDecay, long step) => new(1 - learningRate * weightDecay, learningRate);

    /// <inheritdoc/>
    public void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers)
    {
        weights.MultiplyInPlace(numbers.WeightFactor);
        weights.AddInPlace(gradient, -numbers.StepSize);
    }

    void IFusedRule.ApplyFused(in FusedUpdate update) => update.Run<Formula>();

    private readonly struct Formula : IVectorRule
    {
        public static int StateCount => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Next<V>(
            V weights, V gradient, ref V first, ref V second, in VectorNumbers<V> numbers) where V : unmanaged, ILanes<V> =>
            weights * numbers.WeightFactor - numbers.StepSize * gradient;
    }
}
