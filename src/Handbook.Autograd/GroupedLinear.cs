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
    /// <returns>[rows, out].</returns>
    public static Variable Apply(Tape tape, Variable rows, ExpertRows experts, Weight weights)
    {
        // On the host each expert's rows are a product of their own; elsewhere the counts stay on the device.
        if (!rows.Value.IsCpu)
            return ApplyGrouped(tape, rows, experts, weights);
        var offsets = experts.Offsets;
        using var scope = new TensorScope();
        using var stack = weights.Lease();
        var value = scope.Keep(Join(rows.Value, weights.Shape[1], offsets, (part, expert) => Linear.Forward(part, stack.Value.Select(0, expert), null)));
        return tape.Record(value, [rows], [rows.Value], (gradient, saved) =>
        {
            using var again = weights.Lease();
            if (rows.RequiresGrad)
                rows.Accumulate(Join(gradient, saved[0].Size(1), offsets, (part, expert) => Linear.InputGradient([(part, again.Value.Select(0, expert))])));
            if (weights.Gradient is { } sink)
                AddWeightGradients(sink, weights, gradient, saved[0], offsets);
        }, [weights]);
    }

    /// <summary>The products as one operator each: any device.</summary>
    internal static Variable ApplyGrouped(Tape tape, Variable rows, ExpertRows experts, Weight weights)
    {
        using var scope = new TensorScope();
        using var stack = weights.Lease();
        var ends = experts.Ends.To(DType.Int32);
        var value = scope.Keep(Grouped(rows.Value, stack.Value.Transpose(1, 2), ends));
        return tape.Record(value, [rows], [rows.Value, ends], (gradient, saved) =>
        {
            using var again = weights.Lease();
            var direction = gradient.Contiguous();
            if (rows.RequiresGrad)
                rows.Accumulate(Grouped(direction, again.Value, saved[1]));
            weights.Gradient?.Add(Grouped(direction.Transpose(0, 1), saved[0], saved[1]));
        }, [weights]);
    }

    private static Tensor Grouped(Tensor left, Tensor right, Tensor ends) =>
        Operator.Call("aten::_grouped_mm"u8, default, left, right, Value.Some(ends), Value.None, Value.None);

    private static Tensor Join(Tensor rows, long width, IReadOnlyList<long> offsets, Func<Tensor, int, Tensor> product)
    {
        var parts = new List<Tensor> { Tensor.Empty([0, width], rows.DType, rows.Device) };
        for (var expert = 0; expert + 1 < offsets.Count; expert++)
        {
            if (offsets[expert + 1] > offsets[expert])
                parts.Add(product(Part(rows, offsets, expert), expert));
        }
        return Operator.Call("aten::cat"u8, default, parts.ToArray(), 0L);
    }

    private static void AddWeightGradients(GradientSink sink, Weight weights, Tensor gradient, Tensor rows, IReadOnlyList<long> offsets)
    {
        var present = sink.Sum;
        var sum = present ?? Tensor.Zeros(weights.Shape, Shapes.SumType(gradient), gradient.Device);
        for (var expert = 0; expert + 1 < offsets.Count; expert++)
        {
            if (offsets[expert + 1] == offsets[expert])
                continue;
            using var scope = new TensorScope();
            Linear.AddWeightGradient(sum.Select(0, expert), Part(gradient, offsets, expert), Part(rows, offsets, expert));
        }
        if (present is null)
            sink.Add(sum.To(weights.DType));
    }

    private static Tensor Part(Tensor rows, IReadOnlyList<long> offsets, int expert) =>
        rows.Narrow(0, offsets[expert], offsets[expert + 1] - offsets[expert]);
}
