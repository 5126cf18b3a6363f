using Handbook.Autograd;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>What a weight is for: adapters and few bits are for some.</summary>
public enum WeightRole
{
    /// <summary>Norms, biases, positions.</summary>
    Other,

    /// <summary>A linear layer inside the decoder, [out, in].</summary>
    Linear,

    /// <summary>The linear layers of all experts, [experts, out, in].</summary>
    Experts,

    /// <summary>The table of token vectors, [vocabulary, width]; a tied head's too.</summary>
    Embedding,

    /// <summary>A head: of the language model, when it is not tied, or of a classifier, [out, width].</summary>
    Head,
}

/// <summary>
/// A place of a model that holds a weight, under the name that the reference gives it. What stands there may change after loading: an
/// adapter goes around it, and whoever owns the place does not know.
/// </summary>
/// <param name="name">Name in checkpoints.</param>
/// <param name="weight">What stands there first.</param>
/// <param name="role">What it is for.</param>
public sealed class WeightSlot(string name, Weight weight, WeightRole role = WeightRole.Other)
{
    private Weight? mergedFrom;

    /// <summary>Name in checkpoints.</summary>
    public string Name => name;

    /// <summary>What it is for.</summary>
    public WeightRole Role => role;

    /// <summary>What stands there.</summary>
    public Weight Weight { get; set; } = weight;

    /// <summary>
    /// Gives the weight in a wider element type than the model's, where it was merged from others; null where it was not. Belongs to the
    /// caller.
    /// </summary>
    public Func<DType, Tensor>? Exact { get; private set; }

    /// <summary>Puts a weight there that was made of the one that stood there, which stays until <see cref="Settle"/>.</summary>
    /// <param name="merged">The new weight.</param>
    /// <param name="exact">Makes it once more in a wider type.</param>
    internal void Merge(Weight merged, Func<DType, Tensor> exact)
    {
        mergedFrom = Weight;
        (Weight, Exact) = (merged, exact);
    }

    /// <summary>Frees what the weight was merged from: nobody will ask for more of its digits.</summary>
    public void Settle()
    {
        Exact = null;
        mergedFrom?.Dispose();
        mergedFrom = null;
    }
}
