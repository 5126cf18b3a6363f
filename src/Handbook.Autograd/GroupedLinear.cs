using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Projections of rows that are sorted by expert, each with its expert's weight: y_r = W_expert(r) x_r.</summary>
public static class GroupedLinear
{
    /// <summary>Multiplies.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="rows">[rows, in], sorted by expert.</param>
    /// <param name="experts">Whose rows they are.</param>
    /// <param name="weights">[experts, out, in].</param>
    /// <param name="drops">Whether adapters drop elements of their input.</param>
    /// <returns>[rows, out].</returns>
    public static Variable Apply(Tape tape, Variable rows, ExpertRows experts, Weight weights, bool drops = false) =>
        // On the host each expert's rows are a product of their own; elsewhere the counts stay on the device.
        rows.Value.IsCpu
            ? Apply(tape, rows, new HostProducts(experts.Offsets), weights, drops)
            : ApplyGrouped(tape, rows, experts, weights, drops);

    /// <summary>The products as one operator each: any device.</summary>
    internal static Variable ApplyGrouped(Tape tape, Variable rows, ExpertRows experts, Weight weights, bool drops = false)
    {
        using var ends = experts.Ends.To(DType.Int32);
        return Apply(tape, rows, new DeviceProducts(ends), weights, drops);
    }

    /// <summary>Rows sorted by expert times each one's matrix, [rows, out]; the product of one expert's rows is the caller's.</summary>
    /// <param name="terms">Rows [rows, in] and weights [experts, out, in].</param>
    /// <param name="experts">Whose rows they are.</param>
    /// <param name="product">Makes the products of one expert.</param>
    public static Tensor Join(IReadOnlyList<ProductTerm> terms, ExpertRows experts, MatrixProduct product) =>
        Join(terms, experts.Offsets, terms[0].Weight.Size(1), part => product(part, null));

    /// <summary>Products of as many rows for each expert.</summary>
    internal static MatrixProduct Evenly(long experts, long rows)
    {
        long[] offsets = [.. Enumerable.Range(0, (int)experts + 1).Select(expert => expert * rows)];
        return (terms, _) => Join(terms, offsets, terms[0].Weight.Size(1), part => Linear.Forward(part, null));
    }

    private static Variable Apply(Tape tape, Variable rows, ExpertProducts products, Weight weights, bool drops)
    {
        var (random, drawn) = (tape.Random, tape.Random.Position);
        var value = weights.Multiply(rows.Value, null, products.Forward, drops ? random : null);
        return tape.Record(value, [rows], [rows.Value, .. products.Saved], (output, saved) =>
        {
            using var gradients = new GroupedGradients(saved[0], rows.RequiresGrad, products.With(saved[1..]))
            {
                Dropout = drops ? random.From(drawn) : null,
            };
            weights.Differentiate(output, gradients);
            if (gradients.InputGradient() is { } gradient)
                rows.Accumulate(gradient);
        }, [weights]);
    }

    private static Tensor Join(
        IReadOnlyList<ProductTerm> terms, IReadOnlyList<long> offsets, long width, Func<List<ProductTerm>, Tensor> product)
    {
        var parts = new List<Tensor> { Tensor.Empty([0, width], terms[0].Rows.DType, terms[0].Rows.Device) };
        for (var expert = 0; expert + 1 < offsets.Count; expert++)
        {
            if (offsets[expert + 1] > offsets[expert])
                parts.Add(product([.. terms.Select(term => Of(expert, term))]));
        }
        return Operator.Call("aten::cat"u8, default, parts.ToArray(), 0L);

        ProductTerm Of(int expert, ProductTerm term) => new(Part(term.Rows, offsets, expert), term.Weight.Select(expert));
    }

    private static Tensor Part(Tensor rows, IReadOnlyList<long> offsets, int expert) =>
        rows.Narrow(0, offsets[expert], offsets[expert + 1] - offsets[expert]);

    /// <summary>How rows sorted by expert meet stacks of matrices.</summary>
    private abstract class ExpertProducts
    {
        /// <summary>What a backward pass needs.</summary>
        internal virtual Tensor[] Saved => [];

        /// <summary>The same over what was saved.</summary>
        internal virtual ExpertProducts With(Tensor[] saved) => this;

        internal abstract Tensor Forward(IReadOnlyList<ProductTerm> terms, Tensor? bias);

        internal abstract Tensor InputGradient(IReadOnlyList<ProductTerm> terms);

        internal abstract void AddWeightGradient(GradientSink sink, Tensor output, Tensor input);
    }

    private sealed class HostProducts(IReadOnlyList<long> offsets) : ExpertProducts
    {
        internal override Tensor Forward(IReadOnlyList<ProductTerm> terms, Tensor? bias) =>
            Join(terms, offsets, terms[0].Weight.Size(1), part => Linear.Forward(part, null));

        internal override Tensor InputGradient(IReadOnlyList<ProductTerm> terms) =>
            Join(terms, offsets, terms[0].Weight.Size(2), Linear.InputGradient);

        internal override void AddWeightGradient(GradientSink sink, Tensor output, Tensor input)
        {
            var present = sink.Sum;
            var sum = present ?? Tensor.Zeros([offsets.Count - 1, output.Size(1), input.Size(1)], Shapes.SumType(output), output.Device);
            for (var expert = 0; expert + 1 < offsets.Count; expert++)
            {
                if (offsets[expert + 1] == offsets[expert])
                    continue;
                using var scope = new TensorScope();
                Linear.AddWeightGradient(sum.Select(0, expert), Part(output, offsets, expert), Part(input, offsets, expert));
            }
            if (present is null)
                sink.Add(sum.To(output.DType));
        }
    }

    private sealed class DeviceProducts(Tensor ends) : ExpertProducts
    {
        internal override Tensor[] Saved => [ends];

        internal override ExpertProducts With(Tensor[] saved) => new DeviceProducts(saved[0]);

        internal override Tensor Forward(IReadOnlyList<ProductTerm> terms, Tensor? bias) =>
            Sum(terms, term => Grouped(term.Rows, term.Weight.ToTensor(term.Rows.DType).Transpose(1, 2)));

        internal override Tensor InputGradient(IReadOnlyList<ProductTerm> terms) =>
            Sum(terms, term => Grouped(term.Rows.Contiguous(), term.Weight.ToTensor(term.Rows.DType)));

        internal override void AddWeightGradient(GradientSink sink, Tensor output, Tensor input) =>
            sink.Add(Grouped(output.Contiguous().Transpose(0, 1), input));

        private static Tensor Sum(IReadOnlyList<ProductTerm> terms, Func<ProductTerm, Tensor> product) =>
            terms.Skip(1).Aggregate(product(terms[0]), (sum, term) => sum.Add(product(term)));

        private Tensor Grouped(Tensor left, Tensor right) =>
            Operator.Call("aten::_grouped_mm"u8, default, left, right, Value.Some(ends), Value.None, Value.None);
    }

    private sealed class GroupedGradients(Tensor input, bool wantsInput, ExpertProducts products) : ProductGradients(input, wantsInput)
    {
        internal override MatrixProduct Product => products.Forward;

        internal override ProductGradients Of(Tensor rows, bool wantsInput) => new GroupedGradients(rows, wantsInput, products);

        internal override void AddWeightGradient(GradientSink sink, Tensor output) => products.AddWeightGradient(sink, output, Input);

        private protected override Tensor Sum(List<ProductTerm> terms) => products.InputGradient(terms);
    }
}
