using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>A weight around another one that is back as it was while the adapters are held off.</summary>
/// <param name="inner">The weight that is adapted.</param>
/// <param name="adapters">Turns the adapter off.</param>
public abstract class SwitchedWeight(Weight inner, AdapterSwitch adapters) : Weight
{
    /// <summary>The weight that is adapted.</summary>
    public Weight Inner => inner;

    /// <inheritdoc/>
    public override ReadOnlySpan<long> Shape => inner.Shape;

    /// <inheritdoc/>
    public override DType DType => inner.DType;

    /// <inheritdoc/>
    public override Device Device => inner.Device;

    /// <inheritdoc/>
    public override IEnumerable<QuantizedWeight> Quantized => inner.Quantized;

    internal override MatrixOperand Lend(ICollection<WeightLease> leases) => IsOn ? base.Lend(leases) : inner.Lend(leases);

    /// <summary>True while the adapter takes part.</summary>
    protected bool IsOn => adapters.IsOn;

    // A tensor that was made for the lease; one of the inner weight is its own affair.
    internal override void Return(Tensor value)
    {
        if (IsOn)
            value.Dispose();
        else
            inner.Return(value);
    }
}
