using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>
/// Weights that a model is only measured with: small numbers that repeat themselves, made as fast as memory is written. They cost in
/// memory and time what real ones cost, those in codes of few bits too.
/// </summary>
/// <param name="dtype">Element type of the weights.</param>
/// <param name="device">Where they are put.</param>
public sealed class PatternWeights(DType dtype, Device device) : MadeWeights(dtype, device)
{
    private const int Period = 4099;

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
