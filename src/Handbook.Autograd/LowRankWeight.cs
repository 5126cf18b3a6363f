using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// A weight with a low-rank delta (LoRA; Hu et al. 2021, arXiv:2106.09685): W + scale · B A. A product never makes the sum: rows pass
/// through A, and what comes out meets B in the same pass over the output in which the rows meet W. The inputs of A are those of W, and
/// what lies between A and B, and the mask of dropout, are made again in the backward pass, so an adapter keeps no activation.
/// </summary>
/// <param name="inner">W, [out, in]; stays frozen unless it says otherwise.</param>
/// <param name="down">A, [rank, in].</param>
/// <param name="up">B, [out, rank].</param>
/// <param name="scale">alpha / rank, or alpha / √rank.</param>
/// <param name="adapters">Turns the delta off.</param>
/// <param name="dropout">Probability that an element of A's input is zero, in training.</param>
public sealed class LowRankWeight(Weight inner, Weight down, Weight up, double scale, AdapterSwitch adapters, double dropout = 0)
    : SwitchedWeight(inner, adapters)
{
    /// <inheritdoc/>
    public override IEnumerable<Parameter> Parameters => Inner.Parameters.Concat(down.Parameters).Concat(up.Parameters);

    /// <inheritdoc/>
    public override bool RequiresGrad => Inner.RequiresGrad || (IsOn && (down.RequiresGrad || up.RequiresGrad));

    // Of the sum as one tensor, for operations that lease it: the head.
    internal override GradientSink? Gradient =>
        !RequiresGrad ? null : IsOn ? new Projected(Inner.Gradient, down, up, scale) : Inner.Gradient;

    internal override IEnumerable<GradientSink> Sinks =>
        IsOn ? Inner.Sinks.Concat(down.Sinks).Concat(up.Sinks) : Inner.Sinks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        Inner.Dispose();
        down.Dispose();
        up.Dispose();
    }

    internal override void AddTerms(Tensor rows, ProductTerms terms)
    {
        Inner.AddTerms(rows, terms);
        if (!IsOn)
            return;
        var mask = DropoutMask.Draw(terms.Dropout, rows, dropout);
        up.AddTerms(Narrow(mask is null ? rows : mask.Apply(rows), terms.Product), terms);
    }

    internal override Variable LookUp(Tape tape, Tensor ids)
    {
        if (!IsOn)
            return Inner.LookUp(tape, ids);
        using var whole = Inner.LookUp(tape, ids);
        using var narrow = up.LookUp(tape, ids);
        using var delta = Linear.ApplyTransposed(tape, narrow, down, scale);
        return Residual.Add(tape, whole, delta);
    }

    internal override void Differentiate(Tensor output, ProductGradients gradients)
    {
        Inner.Differentiate(output, gradients);
        if (!IsOn)
            return;
        var mask = DropoutMask.Draw(gradients.Dropout, gradients.Input, dropout);
        if (mask is null)
        {
            Differentiate(output, gradients.Input, gradients);
            return;
        }
        using var masked = gradients.Of(mask.Apply(gradients.Input), gradients.WantsInput);
        Differentiate(output, masked.Input, masked);
        if (masked.InputGradient() is { } direction)
            gradients.AddInputGradient(mask.Apply(direction));
    }

    internal override void Retain()
    {
        Inner.Retain();
        down.Retain();
        up.Retain();
    }

    internal override void Release()
    {
        Inner.Release();
        down.Release();
        up.Release();
    }

    private protected override Tensor Acquire()
    {
        var matrix = Inner.Lease();
        if (!IsOn)
            return matrix.Value;
        using var scope = new TensorScope();
        using var owned = matrix;
        using var a = down.Lease();
        using var b = up.Lease();
        return TensorScope.Detach(matrix.Value.Add(Scaled(b.Value.MatMul(a.Value))));
    }

    private void Differentiate(Tensor output, Tensor rows, ProductGradients gradients)
    {
        using var narrow = gradients.Of(Narrow(rows, gradients.Product), wantsInput: true);
        up.Differentiate(output, narrow);
        down.Differentiate(Scaled(narrow.InputGradient()!), gradients);
    }

    /// <summary>scale · rows Aᵀ, [N, rank].</summary>
    private Tensor Narrow(Tensor rows, MatrixProduct product) => Scaled(down.Multiply(rows, null, product));

    private Tensor Scaled(Tensor values) => scale == 1 ? values : values.Multiply(scale);

    /// <summary>The gradient of W + scale · B A as those of its parts.</summary>
    private sealed class Projected(GradientSink? inner, Weight down, Weight up, double scale) : GradientSink
    {
        internal override void Add(Tensor contribution)
        {
            using (new TensorScope())
            {
                if (down.Gradient is { } downSink)
                {
                    using var b = up.Lease();
                    downSink.Add(b.Value.Transpose(-2, -1).MatMul(contribution.To(b.Value.DType)).Multiply(scale));
                }
                if (up.Gradient is { } upSink)
                {
                    using var a = down.Lease();
                    upSink.Add(contribution.To(a.Value.DType).MatMul(a.Value.Transpose(-2, -1)).Multiply(scale));
                }
            }
            if (inner is not null)
                inner.Add(contribution);
            else
                contribution.Dispose();
        }
    }
}
