using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// New weights as transformers' <c>_init_weights</c> makes them. A weight depends on the seed, its name and the element's
/// number alone: not on the order of construction, on threads, or on what else the model has.
/// </summary>
public sealed class RandomWeights : MadeWeights
{
    private readonly ulong seed;
    private readonly double standardDeviation;

    /// <summary>Makes a source.</summary>
    /// <param name="seed">Another seed gives other weights.</param>
    /// <param name="standardDeviation">The configuration's <c>initializer_range</c>.</param>
    /// <param name="dtype">Element type of the weights.</param>
    /// <param name="device">Where they are put.</param>
    public RandomWeights(ulong seed, double standardDeviation, DType dtype, Device device = default) : base(dtype, device)
    {
        this.seed = seed;
        this.standardDeviation = standardDeviation;
    }

    /// <inheritdoc/>
    protected internal override Tensor Get(string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form)
    {
        using var scope = new TensorScope();
        var weight = initialization switch
        {
            Initialization.Ones => Tensor.Full(shape, 1, DType.Float32),
            Initialization.Zeros => Tensor.Zeros(shape, DType.Float32),
            _ => RandomNumbers.Normal(seed, name, shape, standardDeviation),
        };
        return TensorScope.Detach(weight.To(DType).To(Device));
    }
}
