using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>A weight in whose place a copy is trained whole. With the adapters held off the weight that it came from is back.</summary>
/// <param name="inner">The weight of the base.</param>
/// <param name="own">The copy, of the same shape.</param>
/// <param name="adapters">Turns the copy off.</param>
public sealed class ReplacedWeight(Weight inner, Parameter own, AdapterSwitch adapters) : Weight
{
    private Weight Current => adapters.IsOn ? own : inner;

    /// <inheritdoc/>
    public override ReadOnlySpan<long> Shape => inner.Shape;

    /// <inheritdoc/>
    public override DType DType => Current.DType;

    /// <inheritdoc/>
    public override Device Device => inner.Device;

    /// <inheritdoc/>
    public override IEnumerable<QuantizedWeight> Quantized => inner.Quantized;

    /// <inheritdoc/>
    public override IEnumerable<Parameter> Parameters => inner.Parameters.Append(own);

    /// <inheritdoc/>
    public override bool RequiresGrad => Current.RequiresGrad;

    internal override GradientSink? Gradient => Current.Gradient;

    internal override IEnumerable<GradientSink> Sinks => Current.Sinks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        inner.Dispose();
        own.Dispose();
    }

    internal override void AddTerms(Tensor rows, ProductTerms terms) => Current.AddTerms(rows, terms);

    internal override Variable LookUp(Tape tape, Tensor ids) => Current.LookUp(tape, ids);

    internal override void Differentiate(Tensor output, ProductGradients gradients) => Current.Differentiate(output, gradients);

    internal override void Return(Tensor value) => Current.Return(value);

    private protected override Tensor Acquire() => Current.Lease().Value;
}
