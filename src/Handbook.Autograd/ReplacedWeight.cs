using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>A weight in whose place a copy is trained whole. With the adapters held off the weight that it came from is back.</summary>
/// <param name="inner">The weight of the base.</param>
/// <param name="own">The copy, of the same shape.</param>
/// <param name="adapters">Turns the copy off.</param>
public sealed class ReplacedWeight(Weight inner, Parameter own, AdapterSwitch adapters) : SwitchedWeight(inner, adapters)
{
    private Weight Current => IsOn ? own : Inner;

    /// <inheritdoc/>
    public override IEnumerable<Parameter> Parameters => Inner.Parameters.Append(own);

    /// <inheritdoc/>
    public override bool RequiresGrad => Current.RequiresGrad;

    internal override GradientSink? Gradient => Current.Gradient;

    internal override IEnumerable<GradientSink> Sinks => Current.Sinks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        Inner.Dispose();
        own.Dispose();
    }

    internal override void AddTerms(Tensor rows, ProductTerms terms) => Current.AddTerms(rows, terms);

    internal override Variable LookUp(Tape tape, Tensor ids) => Current.LookUp(tape, ids);

    internal override void Differentiate(Tensor output, ProductGradients gradients) => Current.Differentiate(output, gradients);

    internal override void Return(Tensor value) => Current.Return(value);

    private protected override Tensor Acquire() => Current.Lease().Value;
}
