using Handbook.Autograd;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Training.Optimizers;

/// <summary>What an optimizer is told besides its rule.</summary>
public sealed record OptimizerSettings
{
    /// <summary>Decoupled decay of the weights that <see cref="WeightDecayRule"/> names.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Keep no master copy of bfloat16 parameters: round their updates at random.</summary>
    public bool StochasticRounding { get; init; }

    /// <summary>Seed of that.</summary>
    public ulong Seed { get; init; }

    /// <summary>What running averages are kept in.</summary>
    public OptimizerStates States { get; init; } = OptimizerStates.Float32;

    /// <summary>Scale losses, for gradients in float16.</summary>
    public bool ScalesLoss { get; init; }

    /// <summary>What is kept of a parameter, from its present value on.</summary>
    internal OptimizerSlot Slot(Parameter parameter, int index, IUpdateRule rule)
    {
        var value = parameter.Value;
        var sums = OptimizerSlot.SumsOf(value);
        var needsMaster = value.DType != sums && !(StochasticRounding && value.DType == DType.BFloat16);
        return new OptimizerSlot(
            parameter,
            index,
            rule,
            WeightDecayRule.Applies(parameter.Name) ? WeightDecay : 0,
            needsMaster ? TensorScope.Detach(value.To(sums)) : null,
            [.. rule.Averages(value.Shape.ToArray()).Select(form => States.Zeros(form, parameter))]);
    }
}
