using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// A weight whose rows have a trained length and a direction with a low-rank delta (DoRA; Liu et al. 2024, arXiv:2402.09353):
/// m / ‖W + scale · B A‖ · (W + scale · B A), the norm of each row. As in PEFT the norm is a constant in the backward pass (section 4.3 of
/// the paper), and under dropout the masked input meets everything but W itself.
/// </summary>
/// <param name="inner">W, [out, in], or a stack of them.</param>
/// <param name="down">A, [rank, in], for each matrix of a stack.</param>
/// <param name="up">B, [out, rank], for each matrix of a stack.</param>
/// <param name="magnitude">m, [out], for each matrix of a stack.</param>
/// <param name="scale">alpha / rank, or alpha / √rank.</param>
/// <param name="adapters">Turns all of it off.</param>
/// <param name="dropout">Probability that an element of the adapter's input is zero, in training.</param>
public sealed class DecomposedWeight(
    Weight inner, Weight down, Weight up, Weight magnitude, double scale, AdapterSwitch adapters, double dropout = 0)
    : SwitchedWeight(inner, adapters)
{
    private readonly LowRankWeight direction = new(inner, down, up, scale, adapters);
    private Tensor? innerSquares;

    // Of the masked input there are three products, and the whole is none of them.
    internal override bool KeepsProduct => IsOn && magnitude.RequiresGrad && dropout == 0 && Device.Kind == DeviceKind.Cpu;

    /// <inheritdoc/>
    public override IEnumerable<Parameter> Parameters => direction.Parameters.Concat(magnitude.Parameters);

    /// <inheritdoc/>
    public override bool RequiresGrad => direction.RequiresGrad || (IsOn && magnitude.RequiresGrad);

    internal override GradientSink? Gradient =>
        !RequiresGrad ? null : IsOn ? new Projected(Project) : Inner.Gradient;

    internal override IEnumerable<GradientSink> Sinks => IsOn ? direction.Sinks.Concat(magnitude.Sinks) : Inner.Sinks;

    /// <summary>‖W + scale · B A‖ of each row: what m begins as. In float32 at least, [out].</summary>
    /// <param name="weight">W + scale · B A, [out, in].</param>
    public static Tensor RowNorms(Tensor weight)
    {
        using var scope = new TensorScope();
        var wide = weight.To(weight.DType == DType.Float64 ? DType.Float64 : DType.Float32);
        return scope.Keep(Operator.Call("aten::sqrt"u8, default, wide.Multiply(wide).Sum(-1)));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        direction.Dispose();
        magnitude.Dispose();
        innerSquares?.Dispose();
    }

    internal override MatrixOperand Lend(ICollection<WeightLease> leases)
    {
        if (!IsOn || down.DType != DType.Float32)
            return base.Lend(leases);
        return Lend(leases, Factor(Norms(Linear.Forward), DType.Float32));
    }

    private AdaptedMatrix Lend(ICollection<WeightLease> leases, Tensor factor)
    {
        var (a, b) = (down.Lease(), up.Lease());
        leases.Add(a);
        leases.Add(b);
        return new AdaptedMatrix(Inner.Lend(leases), a.Value, b.Value.Multiply(scale), factor);
    }

    internal override void AddTerms(Tensor rows, ProductTerms terms)
    {
        if (!IsOn)
        {
            Inner.AddTerms(rows, terms);
            return;
        }
        var masks = DropoutMask.Draw(terms.Dropout, rows, dropout);
        if (masks is null && IsSummed(rows, terms.Product))
        {
            terms.Add(rows, Lend(terms.Leases));
            return;
        }
        var factor = Spread(Factor(Norms(terms.Product), rows.DType), rows, terms.Product);
        if (masks is not { } mask)
        {
            terms.Add(direction.Multiply(rows, null, terms.Product).Multiply(factor));
            return;
        }
        Inner.AddTerms(rows, terms);
        var masked = mask.Apply(rows);
        terms.Add(direction.Multiply(masked, null, terms.Product).Multiply(factor).Subtract(Inner.Multiply(masked, null, terms.Product)));
    }

    internal override void Differentiate(Tensor output, ProductGradients gradients)
    {
        if (!IsOn)
        {
            Inner.Differentiate(output, gradients);
            return;
        }
        if (DropoutMask.Draw(gradients.Dropout, gradients.Input, dropout) is not { } mask)
        {
            if (!Inner.RequiresGrad && IsSummed(gradients.Input, gradients.Product))
                DifferentiateSummed(output, gradients);
            else
                DifferentiateScaled(output, gradients);
            return;
        }
        Inner.Differentiate(output, gradients);
        using var masked = gradients.Of(mask.Apply(gradients.Input), gradients.WantsInput);
        DifferentiateScaled(output, masked);
        Inner.Differentiate(output.Multiply(-1), masked);
        if (masked.InputGradient() is { } term)
            gradients.AddInputGradient(mask.Apply(term));
    }

    internal override void Retain()
    {
        direction.Retain();
        magnitude.Retain();
    }

    internal override void Release()
    {
        direction.Release();
        magnitude.Release();
    }

    private protected override Tensor Acquire()
    {
        if (!IsOn)
            return Inner.Lease().Value;
        using var scope = new TensorScope();
        using var sum = direction.Lease();
        return TensorScope.Detach(sum.Value.Multiply(Column(Factor(RowNorms(sum.Value), sum.Value.DType))));
    }

    /// <summary>True where all of it is one matrix, in the cache of a product.</summary>
    private bool IsSummed(Tensor rows, MatrixProduct product) =>
        product == Linear.Forward && AdaptedMatrix.Pays(rows, Shape, down.DType) && magnitude.DType == DType.Float32;

    /// <summary>The same backward pass where the product was that of one matrix.</summary>
    private void DifferentiateSummed(Tensor output, ProductGradients gradients)
    {
        var norms = Norms(gradients.Product);
        var factor = Factor(norms, DType.Float32);
        if (gradients.WantsInput)
            gradients.AddTerm(output, Lend(gradients.Leases, factor));
        using var a = down.Lease();
        using var b = up.Lease();
        var rows = b.Value.Multiply(factor.View(-1, 1));
        if (!LowRankKernel.Applies(gradients.Input, a.Value, rows, output))
        {
            DifferentiateLengths(output, norms, gradients);
            direction.DifferentiatePair(output.Multiply(factor), gradients);
            return;
        }
        var (product, divisor) = magnitude.RequiresGrad ? Measured(norms, gradients) : default;
        var found = LowRankKernel.Differentiate(
            new LowRankCall(gradients.Input, output, a.Value, rows, scale, null) { Product = product });
        if (found.Products is { } sums)
            magnitude.Gradient!.Add(sums.Divide(divisor!));
        down.Gradient?.AddSum(found.Down);
        up.Gradient?.AddSum(found.Up.Multiply(factor.View(-1, 1)));
    }

    /// <summary>The backward pass of m / norm · (rows · directionᵀ).</summary>
    private void DifferentiateScaled(Tensor output, ProductGradients gradients)
    {
        var norms = Norms(gradients.Product);
        DifferentiateLengths(output, norms, gradients);
        direction.Differentiate(
            output.Multiply(Spread(Factor(norms, output.DType), output, gradients.Product)), gradients);
    }

    private void DifferentiateLengths(Tensor output, Tensor norms, ProductGradients gradients)
    {
        if (magnitude.Gradient is not { } sink)
            return;
        var (product, divisor) = Measured(norms, gradients);
        AddMagnitudeGradient(sink, product.To(norms.DType).Multiply(output), divisor, gradients);
    }

    /// <summary>
    /// What is multiplied with the product's gradient, and what the sums over tokens are divided by, to give m's gradient: the product
    /// that was kept and m, or the directions' product, made again, and their norms.
    /// </summary>
    private (Tensor Product, Tensor Divisor) Measured(Tensor norms, ProductGradients gradients)
    {
        using var lengths = magnitude.Lease();
        var divisor = lengths.Value.To(norms.DType);
        return gradients.Kept is { } product && !HasZero(divisor)
            ? (product, divisor) : (direction.Multiply(gradients.Input, null, gradients.Product), norms);
    }

    // Of a row of length 0 the product says nothing of its direction.
    private static bool HasZero(Tensor lengths) => lengths.DType == DType.Float64
        ? lengths.Span<double>().Contains(0) : lengths.Span<float>().Contains(0);

    /// <summary>The sum over rows, each expert's apart, divided by the norms.</summary>
    private void AddMagnitudeGradient(GradientSink sink, Tensor rows, Tensor norms, ProductGradients gradients)
    {
        if (norms.DimensionCount == 1)
        {
            sink.Add(rows.Sum(0).Divide(norms).To(magnitude.DType));
            return;
        }
        using var scope = new TensorScope();
        using var counted = gradients.Of(Tensor.Full([rows.Size(0), 1], 1, rows.DType, rows.Device), wantsInput: false);
        counted.AddWeightGradient(new Projected(sums =>
        {
            using var owned = sums;
            sink.Add(sums.View(norms.Shape).To(norms.DType).Divide(norms).To(magnitude.DType));
        }), rows);
    }

    /// <summary>Numbers of a matrix's rows as a product's rows meet them: [out]; of a stack [experts, out], [N, out].</summary>
    private static Tensor Spread(Tensor numbers, Tensor rows, MatrixProduct product) => numbers.DimensionCount == 1 ? numbers
        : product([new ProductTerm(Tensor.Full([rows.Size(0), 1], 1, numbers.DType, rows.Device), Column(numbers))], null);

    private static Tensor Column(Tensor numbers) => numbers.View([.. numbers.Shape, 1]);

    /// <summary>
    /// ‖W + s B A‖ of each row without the sum: ‖w‖² + 2 s w·(b A) + s² ‖b A‖², of which the first is the frozen weight's and made once.
    /// </summary>
    private Tensor Norms(MatrixProduct product)
    {
        using var a = down.Lease();
        using var b = up.Lease();
        var squares = Squares();
        var (wideA, wideB) = (a.Value.To(squares.DType), b.Value.To(squares.DType));
        var cross = Crossed(a.Value, product).To(squares.DType).Transpose(-2, -1).Multiply(wideB).Sum(-1);
        var own = wideB.MatMul(wideA.MatMul(wideA.Transpose(-2, -1))).Multiply(wideB).Sum(-1);
        return Operator.Call("aten::sqrt"u8, default, squares.Add(cross.Multiply(2 * scale)).Add(own.Multiply(scale * scale)));
    }

    /// <summary>A Wᵀ, [rank, out], for each matrix of a stack.</summary>
    private Tensor Crossed(Tensor a, MatrixProduct product)
    {
        if (a.DimensionCount == 2)
            return Inner.Multiply(a, null, product);
        var (experts, rank) = (a.Size(0), a.Size(1));
        return Inner.Multiply(a.View(experts * rank, -1), null, GroupedLinear.Evenly(experts, rank)).View(experts, rank, -1);
    }

    private Tensor Squares()
    {
        if (innerSquares is { } known)
            return known;
        using var lease = Inner.Lease();
        var norms = RowNorms(lease.Value);
        var squares = norms.Multiply(norms);
        // What another adapter lies around may be another weight in the next pass.
        if (!Inner.RequiresGrad && Inner is not SwitchedWeight)
            innerSquares = TensorScope.Detach(squares);
        return squares;
    }

    private Tensor Factor(Tensor norms, DType dtype)
    {
        using var lengths = magnitude.Lease();
        return lengths.Value.To(norms.DType).Divide(norms).To(dtype);
    }

    /// <summary>The gradient of the whole as those of its parts; takes it over.</summary>
    private void Project(Tensor contribution)
    {
        using var scope = new TensorScope();
        using var owned = contribution;
        using var sum = direction.Lease();
        var norms = RowNorms(sum.Value);
        if (magnitude.Gradient is { } sink)
            sink.Add(sum.Value.To(norms.DType).Multiply(contribution).Sum(-1).Divide(norms).To(magnitude.DType));
        direction.Gradient?.Add(contribution.Multiply(Column(Factor(norms, contribution.DType))));
    }

    private sealed class Projected(Action<Tensor> project) : GradientSink
    {
        internal override void Add(Tensor contribution) => project(contribution);
    }
}
