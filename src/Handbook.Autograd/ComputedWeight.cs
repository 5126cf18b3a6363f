using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>A value of this pass in the place of a weight: a cast, a sum of weights, or rows that others are picked from.</summary>
internal sealed class ComputedWeight(Variable variable) : Weight
{
    private readonly VariableSink? sink = variable.RequiresGrad ? new VariableSink(variable) : null;
    private Tensor? held;

    public override ReadOnlySpan<long> Shape => variable.Value.Shape;

    public override DType DType => variable.Value.DType;

    public override Device Device => variable.Value.Device;

    public override IEnumerable<Parameter> Parameters => [];

    public override bool RequiresGrad => variable.RequiresGrad;

    internal override GradientSink? Gradient => sink;

    internal override IEnumerable<GradientSink> Sinks => [];

    public override void Dispose() => Release();

    internal override void Retain() => held ??= TensorScope.Detach(variable.Value.Alias());

    internal override void Release()
    {
        held?.Dispose();
        held = null;
    }

    internal override void Return(Tensor value) { }

    private protected override Tensor Acquire() => held ?? variable.Value;

    private sealed class VariableSink(Variable variable) : GradientSink
    {
        internal override void Add(Tensor contribution) => variable.Accumulate(contribution);

        internal override void AddSum(Tensor contribution)
        {
            using (contribution)
                Add(contribution.To(variable.Value.DType));
        }
    }
}
