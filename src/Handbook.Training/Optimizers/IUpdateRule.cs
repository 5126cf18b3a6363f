using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>The formula of an optimizer: how one parameter moves, given its gradient and its running averages.</summary>
public interface IUpdateRule
{
    /// <summary>Names of the running averages, as PyTorch's state dictionaries call them.</summary>
    IReadOnlyList<string> StateNames { get; }

    /// <summary>The update's numbers for a step.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="weightDecay">Decoupled decay of the parameter.</param>
    /// <param name="step">1 for the first.</param>
    UpdateNumbers Numbers(double learningRate, double weightDecay, long step);

    /// <summary>The formula in libtorch's operators, in place on weights and running averages of float32 or float64.</summary>
    void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers);

    /// <summary>The formula in SIMD.</summary>
    internal void ApplyFused(in FusedUpdate update);
}
