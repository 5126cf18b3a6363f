using Handbook.Models.Adapters;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models;

/// <summary>A decoder with some head, from a folder or new, as a training run sees it: weights by name that can be saved again.</summary>
public interface IPretrainedModel : ISavedWeights, IDisposable
{
    /// <summary>The configuration.</summary>
    ModelConfig Config { get; }

    /// <summary>Everything but the head.</summary>
    Decoder Decoder { get; }

    /// <summary>The places of its weights, in the reference's order; a tied matrix has one.</summary>
    IReadOnlyList<WeightSlot> Slots { get; }

    /// <summary>The adapters of the folder that it was loaded from, from the innermost out; they stay as they are.</summary>
    IReadOnlyList<Adapter> Adapters { get; }

    /// <summary>What of its folder is not the model's, in words for whoever loads it; null for nothing.</summary>
    string? LeftBehind { get; }

    /// <summary>Where it computes.</summary>
    Device Device { get; }

    /// <summary>Element type that it computes in.</summary>
    DType DType { get; }

    /// <summary>Number of weights, those in codes of few bits among them.</summary>
    long ParameterCount => Count(Slots);

    /// <summary>What the saved configuration says of special tokens; null leaves what was loaded.</summary>
    SpecialTokenIds? SpecialTokens { get; set; }

    /// <summary>Element type of the loaded files; null for a new model.</summary>
    DType? StoredDType { get; }

    /// <summary>Number of weights in some places.</summary>
    internal static long Count(IEnumerable<WeightSlot> slots) => slots.Sum(slot =>
        slot.Weight.Parameters.Sum(parameter => parameter.Value.ElementCount)
        + slot.Weight.Quantized.SelectMany(weight => weight.Parts).Sum(part => part.Size(0) * part.Size(1)));
}
