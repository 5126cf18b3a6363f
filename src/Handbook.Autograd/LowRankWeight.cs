using Handbook.Autograd.Kernels;
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

    internal override MatrixOperand Lend(ICollection<WeightLease> leases)
    {
        if (!IsOn || down.DType != DType.Float32)
            return base.Lend(leases);
        var (a, b) = (down.Lease(), up.Lease());
        leases.Add(a);
        leases.Add(b);
        return new AdaptedMatrix(Inner.Lend(leases), a.Value, Scaled(b.Value), null);
    }

    internal override void AddTerms(Tensor rows, ProductTerms terms)
    {
        var mask = IsOn ? DropoutMask.Draw(terms.Dropout, rows, dropout) : null;
        if (IsOn && mask is null && IsSummed(rows, terms.Product))
        {
            terms.Add(rows, Lend(terms.Leases));
            return;
        }
        Inner.AddTerms(rows, terms);
        if (IsOn)
            up.AddTerms(Narrow(rows, mask, terms.Product), terms);
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
        if (!IsOn)
        {
            Inner.Differentiate(output, gradients);
            return;
        }
        var mask = DropoutMask.Draw(gradients.Dropout, gradients.Input, dropout);
        var isSummed = mask is null && !Inner.RequiresGrad && IsSummed(gradients.Input, gradients.Product);
        if (!isSummed)
            Inner.Differentiate(output, gradients);
        else if (gradients.WantsInput)
            gradients.AddTerm(output, Lend(gradients.Leases));
        using var a = down.Lease();
        using var b = up.Lease();
        if (gradients.Product == Linear.Forward && LowRankKernel.Applies(gradients.Input, a.Value, b.Value, output))
        {
            DifferentiateInOnePass(new LowRankCall(gradients.Input, output, a.Value, b.Value, scale, mask), gradients, isSummed);
            return;
        }
        if (mask is null)
        {
            Differentiate(output, gradients.Input, gradients, wantsInput: !isSummed);
            return;
        }
        using var masked = gradients.Of(mask.Apply(gradients.Input), gradients.WantsInput);
        Differentiate(output, masked.Input, masked, wantsInput: true);
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

    /// <summary>True where the pair is added to the matrix, in the cache of a product.</summary>
    private bool IsSummed(Tensor rows, MatrixProduct product) =>
        product == Linear.Forward && AdaptedMatrix.Pays(rows, Shape, down.DType);

    private void DifferentiateInOnePass(LowRankCall call, ProductGradients gradients, bool isSummed)
    {
        var wantsTerm = gradients.WantsInput && !isSummed;
        var found = LowRankKernel.Differentiate(call with { InputGradient = wantsTerm && call.Mask is not null ? gradients.Added : null });
        down.Gradient?.AddSum(found.Down);
        up.Gradient?.AddSum(found.Up);
        if (wantsTerm && call.Mask is null)
            gradients.AddTerm(found.Narrow, down.Lease());
    }

    /// <summary>The pair's part of the backward pass without a mask, and without the input's gradient.</summary>
    internal void DifferentiatePair(Tensor output, ProductGradients gradients) =>
        Differentiate(output, gradients.Input, gradients, wantsInput: false);

    private void Differentiate(Tensor output, Tensor rows, ProductGradients gradients, bool wantsInput)
    {
        using var narrow = gradients.Of(Narrow(rows, null, gradients.Product), wantsInput: true);
        up.Differentiate(output, narrow);
        var direction = Scaled(narrow.InputGradient()!);
        if (wantsInput)
            down.Differentiate(direction, gradients);
        else if (down.Gradient is { } sink)
            gradients.AddWeightGradient(sink, direction);
    }

    /// <summary>scale · mask(rows) Aᵀ, [N, rank].</summary>
    private Tensor Narrow(Tensor rows, DropoutMask? mask, MatrixProduct product)
    {
        using (var a = down.Lease())
        {
            if (product == Linear.Forward && LowRankKernel.Applies(rows, a.Value))
                return LowRankKernel.Narrow(rows, a.Value, scale, mask);
        }
        return Scaled(down.Multiply(mask is null ? rows : mask.Apply(rows), null, product));
    }

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
