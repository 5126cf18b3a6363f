using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Autograd.Quantization;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>A trained parameter, and what an optimizer keeps of it.</summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="Index">Its place among the trained ones, which decides the random bits.</param>
/// <param name="Rule">How it moves.</param>
/// <param name="WeightDecay">Its decoupled decay.</param>
/// <param name="Master">What is updated and then rounded into the parameter; null where the parameter itself is updated.</param>
/// <param name="Averages">Running averages, as the rule names them.</param>
internal sealed record OptimizerSlot(
    Parameter Parameter, int Index, IUpdateRule Rule, double WeightDecay, Tensor? Master, RunningAverage[] Averages)
{
    /// <summary>What the update is added to.</summary>
    internal Tensor Weights => Master ?? Parameter.Value;

    /// <summary>The type that updates of a weight are computed in.</summary>
    internal static DType SumsOf(Tensor weight) => weight.DType == DType.Float64 ? DType.Float64 : DType.Float32;

    /// <summary>Moves weights by the rule's definition, and the averages with them.</summary>
    internal void Move(Tensor weights, Tensor gradient, UpdateNumbers numbers)
    {
        Tensor[] averages = [.. Averages.Select(average => average.Read())];
        Rule.ApplyPlain(weights, gradient, averages, numbers);
        foreach (var (average, moved) in Averages.Zip(averages))
            average.Write(moved);
    }

    /// <summary>Rounds the master copy, where there is one, into the parameter.</summary>
    internal void RoundMaster()
    {
        if (Master is not null)
            Parameter.Value.CopyFrom(Master);
    }
}
