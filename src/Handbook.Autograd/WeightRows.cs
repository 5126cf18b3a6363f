using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Some rows of a parameter as a weight of their own: what one product of several takes where one trained matrix stands for all of them.
/// </summary>
/// <param name="whole">[.., out, in].</param>
/// <param name="first">The first row.</param>
/// <param name="count">How many.</param>
/// <param name="isOwner">True for the one of the parts that frees the parameter and tells of it.</param>
public sealed class WeightRows(Parameter whole, long first, long count, bool isOwner) : Weight
{
    /// <inheritdoc/>
    public override ReadOnlySpan<long> Shape => (long[])[.. whole.Shape[..^2], count, whole.Shape[^1]];

    /// <inheritdoc/>
    public override DType DType => whole.DType;

    /// <inheritdoc/>
    public override Device Device => whole.Device;

    /// <inheritdoc/>
    public override IEnumerable<Parameter> Parameters => isOwner ? whole.Parameters : [];

    /// <inheritdoc/>
    public override bool RequiresGrad => whole.RequiresGrad;

    internal override GradientSink? Gradient => whole.Gradient is { } sink ? new Part(sink, whole, first, count) : null;

    internal override IEnumerable<GradientSink> Sinks => whole.Sinks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (isOwner)
            whole.Dispose();
    }

    internal override void Return(Tensor value) => value.Dispose();

    private protected override Tensor Acquire() => TensorScope.Detach(Rows(whole.Value, first, count));

    private static Tensor Rows(Tensor tensor, long first, long count) => tensor.Narrow(-2, first, count);

    /// <summary>The gradient of the rows as one of the whole that is zero elsewhere.</summary>
    private sealed class Part(GradientSink sink, Parameter whole, long first, long count) : GradientSink
    {
        internal override void Add(Tensor contribution)
        {
            if (contribution.Shape.SequenceEqual(whole.Shape))
            {
                sink.Add(contribution);
                return;
            }
            using var owned = contribution;
            var all = TensorScope.Detach(Tensor.Zeros(whole.Shape, contribution.DType, contribution.Device));
            using (var rows = Rows(all, first, count))
                rows.CopyFrom(contribution);
            sink.Add(all);
        }
    }
}
