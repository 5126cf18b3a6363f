using Handbook.Autograd;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models;

/// <summary>A decoder with some head, from a folder or new, as a training run sees it: weights by name that can be saved again.</summary>
public interface IPretrainedModel : IDisposable
{
    /// <summary>The configuration.</summary>
    ModelConfig Config { get; }

    /// <summary>Everything but the head.</summary>
    Decoder Decoder { get; }

    /// <summary>The places of its weights, in the reference's order; a tied matrix has one.</summary>
    IReadOnlyList<WeightSlot> Slots { get; }

    /// <summary>The leaves that stand there under their checkpoint names, in that order.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Where it computes.</summary>
    Device Device { get; }

    /// <summary>How each weight stands in files.</summary>
    WeightMap Map { get; }

    /// <summary>Number of weights.</summary>
    long ParameterCount => Parameters.Sum(parameter => parameter.Value.ElementCount);

    /// <summary>What the saved configuration says of special tokens; null leaves what was loaded.</summary>
    SpecialTokenIds? SpecialTokens { get; set; }

    /// <summary>Element type of the loaded files; null for a new model.</summary>
    DType? StoredDType { get; }

    /// <summary>A weight as its folder holds it, in a wider element type than the model's; null when there is no more to be had.</summary>
    /// <param name="parameter">One of <see cref="Parameters"/>.</param>
    /// <param name="dtype">The wider type.</param>
    Tensor? Stored(Parameter parameter, DType dtype);

    /// <summary>Writes the model so that transformers loads it.</summary>
    /// <param name="path">The folder; made when absent.</param>
    /// <param name="dtype">Element type of the files.</param>
    /// <param name="values">The tensor to write for a weight, such as its master copy; null writes the weights themselves.</param>
    void Save(string path, DType dtype, Func<Parameter, Tensor>? values = null);
}
