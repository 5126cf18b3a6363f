using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>A trained parameter, and what an optimizer keeps of it.</summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="Index">Its place among the trained ones, which decides the random bits.</param>
/// <param name="WeightDecay">Its decoupled decay.</param>
/// <param name="Master">What is updated and then rounded into the parameter; null where the parameter itself is updated.</param>
/// <param name="Averages">Running averages, as the rule names them; float32, or float64 for a float64 parameter.</param>
internal sealed record OptimizerSlot(Parameter Parameter, int Index, double WeightDecay, Tensor? Master, Tensor[] Averages)
{
    /// <summary>What the update is added to.</summary>
    internal Tensor Weights => Master ?? Parameter.Value;

    /// <summary>Starts from the parameter's present value.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="index">Its place among the trained ones.</param>
    /// <param name="averages">How many running averages there are.</param>
    /// <param name="weightDecay">Decay of those that <see cref="WeightDecayRule"/> names.</param>
    /// <param name="stochasticRounding">Keep no master copy of a bfloat16 parameter.</param>
    internal static OptimizerSlot Of(Parameter parameter, int index, int averages, double weightDecay, bool stochasticRounding)
    {
        var value = parameter.Value;
        var sums = SumsOf(value);
        var needsMaster = value.DType != sums && !(stochasticRounding && value.DType == DType.BFloat16);
        return new OptimizerSlot(
            parameter,
            index,
            WeightDecayRule.Applies(parameter.Name) ? weightDecay : 0,
            needsMaster ? TensorScope.Detach(value.To(sums)) : null,
            [.. Enumerable.Range(0, averages).Select(_ => TensorScope.Detach(Tensor.Zeros(value.Shape, sums, value.Device)))]);
    }

    /// <summary>The type that updates of a weight are computed in.</summary>
    internal static DType SumsOf(Tensor weight) => weight.DType == DType.Float64 ? DType.Float64 : DType.Float32;

    /// <summary>Rounds the master copy, where there is one, into the parameter.</summary>
    internal void RoundMaster()
    {
        if (Master is not null)
            Parameter.Value.CopyFrom(Master);
    }
}
