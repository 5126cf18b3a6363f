using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// Weights that a model is only measured with: small numbers that repeat themselves, made as fast as memory is written. They cost in
/// memory and time what real ones cost, those in codes of few bits too.
/// </summary>
public sealed class PatternWeights : WeightSource
{
    private const int Period = 4099;
    private readonly WeightNames names;
    private readonly QuantizationConfig? quantization;

    /// <summary>Makes a source.</summary>
    /// <param name="names">What the architecture calls its weights.</param>
    /// <param name="dtype">Element type of the weights.</param>
    /// <param name="device">Where they are put.</param>
    /// <param name="quantization">Codes that linear layers and experts are put into; null for none.</param>
    public PatternWeights(WeightNames names, DType dtype, Device device, QuantizationConfig? quantization = null) : base(dtype, device) =>
        (this.names, this.quantization) = (names, quantization);

    private protected override Weight Make(
        string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form, WeightRole role)
    {
        if (Device.Kind == DeviceKind.Meta || quantization?.Takes(name, role, names) != true)
            return base.Make(name, shape, initialization, form, role);
        var parts = new List<QuantizedMatrix>();
        for (var i = 0; i < (shape.Length == 3 ? shape[0] : 1); i++)
        {
            using var matrix = Get(name, shape[^2..], initialization, form);
            parts.Add(QuantizedMatrix.Quantize(matrix, quantization.Format, quantization.DoubleQuantization));
        }
        return shape.Length == 3 ? new QuantizedWeight(name, parts, DType) : new QuantizedWeight(name, parts[0], DType);
    }

    /// <inheritdoc/>
    protected internal override Tensor Get(string name, ReadOnlySpan<long> shape, Initialization initialization, StoredForm form)
    {
        if (initialization != Initialization.Normal)
            return TensorScope.Detach(Tensor.Full(shape, initialization == Initialization.Ones ? 1 : 0, DType, Device));
        var tensor = TensorScope.Detach(Tensor.Empty(shape, DType, Device));
        if (Device.Kind == DeviceKind.Meta)
            return tensor;
        using var scope = new TensorScope();
        // Of a prime length, so that rows of a matrix differ.
        var pattern = RandomNumbers.Normal(0, "pattern", [Period], 0.02).To(DType).To(Device);
        var flat = tensor.View(-1);
        var (whole, rest) = (flat.ElementCount / Period, flat.ElementCount % Period);
        if (whole > 0)
            flat.Narrow(0, 0, whole * Period).View(whole, Period).CopyFrom(pattern.View(1, Period));
        if (rest > 0)
            flat.Narrow(0, whole * Period, rest).CopyFrom(pattern.Narrow(0, 0, rest));
        return tensor;
    }
}
