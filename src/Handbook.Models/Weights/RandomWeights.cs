using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// New weights as transformers' <c>_init_weights</c> makes them. A weight depends on the seed, its name and the element's
/// number alone: not on the order of construction, on threads, or on what else the model has.
/// </summary>
public sealed class RandomWeights : WeightSource
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

    /// <summary>Codes that the decoder's linear layers are put into as they are made; null leaves them as they are.</summary>
    public (QuantizationConfig Config, WeightNames Names)? Quantization { get; init; }

    private protected override Weight Make(
        string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form, WeightRole role)
    {
        if (Quantization is not var (config, names) || !config.Takes(name, role, names))
            return base.Make(name, shape, initialization, form, role);
        using var numbers = Get(name, shape, initialization, form);
        if (shape.Length == 2)
            return new QuantizedWeight(name, Codes(numbers, config), DType);
        using var scope = new TensorScope();
        return new QuantizedWeight(
            name, [.. Enumerable.Range(0, (int)shape[0]).Select(i => Codes(numbers.Select(0, i), config))], DType);
    }

    private static QuantizedMatrix Codes(Tensor numbers, QuantizationConfig config) =>
        QuantizedMatrix.Quantize(numbers, config.Format, config.DoubleQuantization);

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
