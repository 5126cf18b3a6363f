using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Whether the adapters of a model take part. While any pass holds them off, the model is the one that it was before.</summary>
public sealed class AdapterSwitch
{
    private int held;

    /// <summary>True when adapters take part.</summary>
    public bool IsOn => held == 0;

    /// <summary>Holds the adapters off until the result is disposed.</summary>
    public IDisposable Off() => new Hold(this);

    private sealed class Hold : IDisposable
    {
        private AdapterSwitch? owner;

        internal Hold(AdapterSwitch owner)
        {
            this.owner = owner;
            owner.held++;
        }

        public void Dispose()
        {
            if (owner is not null)
                owner.held--;
            owner = null;
        }
    }
}

/// <summary>
/// A weight with a low-rank delta (LoRA; Hu et al. 2021, arXiv:2106.09685): W + scale · B A. A product never makes the sum: rows pass
/// through A and B beside W. The inputs of A are those of W, and what lies between A and B is made again in the backward pass, so an
/// adapter keeps no activation.
/// </summary>
/// <param name="inner">W, [out, in]; stays frozen unless it says otherwise.</param>
/// <param name="down">A, [rank, in].</param>
/// <param name="up">B, [out, rank].</param>
/// <param name="scale">alpha / rank, or alpha / √rank.</param>
/// <param name="adapters">Turns the delta off.</param>
public sealed class LowRankWeight(Weight inner, Weight down, Weight up, double scale, AdapterSwitch adapters) : Weight
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
    public override IEnumerable<Parameter> Parameters => inner.Parameters.Concat(down.Parameters).Concat(up.Parameters);

    /// <inheritdoc/>
    public override bool RequiresGrad => inner.RequiresGrad || (adapters.IsOn && (down.RequiresGrad || up.RequiresGrad));

    // Of the sum as one tensor, for operations that lease it: the head, an embedding.
    internal override GradientSink? Gradient =>
        RequiresGrad ? new Projected(inner.Gradient, adapters.IsOn ? down : null, adapters.IsOn ? up : null, scale) : null;

    internal override IEnumerable<GradientSink> Sinks =>
        adapters.IsOn ? inner.Sinks.Concat(down.Sinks).Concat(up.Sinks) : inner.Sinks;

    /// <inheritdoc/>
    public override Tensor Multiply(Tensor rows, Tensor? bias, MatrixProduct product)
    {
        if (!adapters.IsOn)
            return inner.Multiply(rows, bias, product);
        using var scope = new TensorScope();
        var narrow = down.Multiply(rows, null, product);
        return scope.Keep(Scaled(inner.Multiply(rows, bias, product), up.Multiply(narrow, null, product)));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        inner.Dispose();
        down.Dispose();
        up.Dispose();
    }

    internal override void Differentiate(Tensor output, ProductGradients gradients)
    {
        inner.Differentiate(output, gradients);
        if (!adapters.IsOn)
            return;
        var direction = scale == 1 ? output : output.Multiply(scale);
        using (var narrow = new ProductGradients(down.Multiply(gradients.Input, null, Linear.Forward), wantsInput: true))
        {
            up.Differentiate(direction, narrow);
            down.Differentiate(narrow.InputGradient()!, gradients);
        }
    }

    internal override void Return(Tensor value)
    {
        if (adapters.IsOn)
            value.Dispose();
        else
            inner.Return(value);
    }

    private protected override Tensor Acquire()
    {
        var matrix = inner.Lease();
        if (!adapters.IsOn)
            return matrix.Value;
        using var scope = new TensorScope();
        using var owned = matrix;
        using var a = down.Lease();
        using var b = up.Lease();
        return TensorScope.Detach(Scaled(matrix.Value, b.Value.MatMul(a.Value)));
    }

    private Tensor Scaled(Tensor whole, Tensor delta) => whole.Add(scale == 1 ? delta : delta.Multiply(scale));

    /// <summary>The gradient of W + scale · B A as those of its parts.</summary>
    private sealed class Projected(GradientSink? inner, Weight? down, Weight? up, double scale) : GradientSink
    {
        internal override void Add(Tensor contribution)
        {
            using (new TensorScope())
            {
                if (down?.Gradient is { } downSink)
                {
                    using var b = up!.Lease();
                    downSink.Add(b.Value.Transpose(0, 1).MatMul(contribution.To(b.Value.DType)).Multiply(scale));
                }
                if (up?.Gradient is { } upSink)
                {
                    using var a = down!.Lease();
                    upSink.Add(contribution.To(a.Value.DType).MatMul(a.Value.Transpose(0, 1)).Multiply(scale));
                }
            }
            if (inner is not null)
                inner.Add(contribution);
            else
                contribution.Dispose();
        }
    }
}
