using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>Moves the weights along their gradients, and remembers what it needs for that from step to step.</summary>
public interface IOptimizer : ISavedState, IDisposable
{
    /// <summary>Updates done.</summary>
    long StepCount { get; }

    /// <summary>What a loss is multiplied by before its backward pass, and gradients are divided by afterwards.</summary>
    LossScale LossScale => LossScale.One;

    /// <summary>
    /// Moves every parameter that has a gradient. Gradients stay as they are: the caller forgets them.
    /// </summary>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="gradientFactor">What gradients are multiplied by first, as <see cref="GradientNorm.ClipFactor"/> gives it.</param>
    void Step(double learningRate, double gradientFactor = 1);

    /// <summary>
    /// The most exact weights there are of a parameter: the float32 master copy where it is kept, else the parameter's own
    /// value. They are the live ones; whoever writes into them calls <see cref="WeightsChanged"/> afterwards.
    /// </summary>
    Tensor Weights(Parameter parameter);

    /// <summary>Rounds every master copy into its parameter's value, after somebody changed the master copies.</summary>
    void WeightsChanged();
}
