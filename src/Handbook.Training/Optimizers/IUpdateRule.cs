using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>A running average that a rule keeps of a parameter.</summary>
/// <param name="Name">As PyTorch's state dictionaries call it.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="IsSigned">False for averages of squares.</param>
public sealed record AverageForm(string Name, long[] Shape, bool IsSigned = true);

/// <summary>The formula of an optimizer: how one parameter moves, given its gradient and its running averages.</summary>
public interface IUpdateRule
{
    /// <summary>The running averages of a parameter of this shape, in the order in which updates get them.</summary>
    IReadOnlyList<AverageForm> Averages(long[] shape);

    /// <summary>The rule that a parameter follows: this one, unless the rule is for some parameters only.</summary>
    IUpdateRule Of(Parameter parameter) => this;

    /// <summary>The update's numbers for a step.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="weightDecay">Decoupled decay of the parameter.</param>
    /// <param name="step">1 for the first.</param>
    UpdateNumbers Numbers(double learningRate, double weightDecay, long step);

    /// <summary>The formula in libtorch's operators, in place on weights and running averages of float32 or float64.</summary>
    void ApplyPlain(Tensor weights, Tensor gradient, IReadOnlyList<Tensor> state, UpdateNumbers numbers);
}

/// <summary>A rule that is written in SIMD, too.</summary>
internal interface IFusedRule : IUpdateRule
{
    /// <summary>The formula in one pass over memory.</summary>
    void ApplyFused(in FusedUpdate update);
}
