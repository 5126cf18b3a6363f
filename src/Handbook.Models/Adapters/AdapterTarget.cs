using Handbook.Models.Weights;

namespace Handbook.Models.Adapters;

/// <summary>A weight that gets a low-rank delta.</summary>
/// <param name="Slot">Where it stands.</param>
/// <param name="Module">Its module's name; <c>*</c> stands for an expert's number.</param>
/// <param name="Rank">Width of the pair.</param>
/// <param name="Scale">What the delta is multiplied with.</param>
internal sealed record AdapterTarget(WeightSlot Slot, string Module, int Rank, double Scale)
{
    /// <summary>What PEFT's names of tensors begin with.</summary>
    internal const string Prefix = "base_model.model.";

    /// <summary>True for a table of token vectors.</summary>
    internal bool IsEmbedding => Slot.Role == WeightRole.Embedding;

    /// <summary>Name of A, the one that narrows.</summary>
    internal string DownName => Prefix + Module + (IsEmbedding ? ".lora_embedding_B" : ".lora_A.weight");

    /// <summary>
    /// Name of B, the one that widens. Of an embedding PEFT calls the two the other way round, since its table stands transposed.
    /// </summary>
    internal string UpName => Prefix + Module + (IsEmbedding ? ".lora_embedding_A" : ".lora_B.weight");

    /// <summary>Name of the trained lengths of rows.</summary>
    internal string MagnitudeName => Prefix + Module + ".lora_magnitude_vector";

    /// <summary>[rank, in], for each expert where there are some.</summary>
    internal long[] DownShape => [.. Slot.Weight.Shape[..^2], Rank, Slot.Weight.Shape[^1]];

    /// <summary>[out, rank], for each expert where there are some.</summary>
    internal long[] UpShape => [.. Slot.Weight.Shape[..^2], Slot.Weight.Shape[^2], Rank];

    /// <summary>How the pair stands in files.</summary>
    internal StoredForm Form => Slot.Role switch
    {
        WeightRole.Embedding => StoredForm.Transposed.Instance,
        WeightRole.Experts => StoredForm.Stacked.Instance,
        _ => StoredForm.Same.Instance,
    };
}
