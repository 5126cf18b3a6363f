using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>Weights that no file gives: whoever makes their numbers, they may be put into codes of few bits.</summary>
/// <param name="dtype">Element type of the weights.</param>
/// <param name="device">Where they are put.</param>
public abstract class MadeWeights(DType dtype, Device device) : WeightSource(dtype, device)
{
    /// <summary>
    /// Codes that linear layers and experts are put into, and what the architecture calls its weights; null leaves them as they are, and so
    /// does the device without elements.
    /// </summary>
    public (QuantizationConfig Config, WeightNames Names)? Quantization { get; init; }

    private protected override Weight Make(
        string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form, WeightRole role)
    {
        if (Device.Kind == DeviceKind.Meta || Quantization is not var (config, names) || !config.Takes(name, role, names))
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
}
