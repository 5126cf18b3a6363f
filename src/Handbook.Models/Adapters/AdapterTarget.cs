using Handbook.Models.Weights;

namespace Handbook.Models.Adapters;

/// <summary>What gets a low-rank delta: a weight, or several whose rows are one parameter for PEFT.</summary>
/// <param name="Slots">Where it stands; the rows of several follow one another.</param>
/// <param name="Module">Its module's name in PEFT's files; <c>*</c> stands for an expert's number.</param>
/// <param name="Rank">Width of the pair.</param>
/// <param name="Scale">What the delta is multiplied with.</param>
internal sealed record AdapterTarget(IReadOnlyList<WeightSlot> Slots, string Module, int Rank, double Scale)
{
    /// <summary>What PEFT's names of tensors begin with.</summary>
    internal const string Prefix = "base_model.model.";

    /// <summary>The first place.</summary>
    internal WeightSlot Slot => Slots[0];

    /// <summary>The parameter that was named; null where a module was.</summary>
    internal string? Parameter { get; init; }

    /// <summary>What it is called in messages.</summary>
    internal string Name => Parameter ?? Module;

    /// <summary>True for the experts of a mixture that are one parameter.</summary>
    internal bool IsJoined => Parameter is not null && Shape.Length == 3;

    /// <summary>True for a table of token vectors.</summary>
    internal bool IsEmbedding => Slot.Role == WeightRole.Embedding && Parameter is null;

    /// <summary>[out, in], for each expert where there are some.</summary>
    internal long[] Shape =>
        [.. Slot.Weight.Shape[..^2], Slots.Sum(slot => slot.Weight.Shape[^2]), Slot.Weight.Shape[^1]];

    /// <summary>Name of A, the one that narrows.</summary>
    internal string DownName => Prefix + Module + (IsEmbedding ? ".lora_embedding_B" : ".lora_A.weight");

    /// <summary>
    /// Name of B, the one that widens. Of an embedding PEFT calls the two the other way round, since its table stands transposed.
    /// </summary>
    internal string UpName => Prefix + Module + (IsEmbedding ? ".lora_embedding_A" : ".lora_B.weight");

    /// <summary>Name of the trained lengths of rows.</summary>
    internal string MagnitudeName => Prefix + Module + ".lora_magnitude_vector";

    /// <summary>[rank, in], for each expert where there are some.</summary>
    internal long[] DownShape => [.. Shape[..^2], Rank, Shape[^1]];

    /// <summary>[out, rank], for each expert where there are some.</summary>
    internal long[] UpShape => [.. Shape[..^1], Rank];

    /// <summary>How A stands in files.</summary>
    /// <param name="isTurned">Whether they are of a PEFT that had inputs and outputs the other way round.</param>
    internal StoredForm DownForm(bool isTurned = false) => IsJoined ? new StoredForm.ExpertPair(Shape[0], true, isTurned) : Form;

    /// <summary>How B stands in files.</summary>
    /// <param name="isTurned">Whether they are of a PEFT that had inputs and outputs the other way round.</param>
    internal StoredForm UpForm(bool isTurned = false) => IsJoined ? new StoredForm.ExpertPair(Shape[0], false, isTurned) : Form;

    /// <summary>How the trained lengths stand in files.</summary>
    internal StoredForm MagnitudeForm => Slot.Role == WeightRole.Experts ? StoredForm.Stacked.Instance : StoredForm.Same.Instance;

    private StoredForm Form => IsEmbedding ? StoredForm.Transposed.Instance : MagnitudeForm;
}
