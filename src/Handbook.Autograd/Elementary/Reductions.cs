using Handbook.Torch;

namespace Handbook.Autograd.Elementary;

/// <summary>Sums and means of small tensors.</summary>
public static class Reductions
{
    /// <summary>Sum of all elements, a scalar.</summary>
    public static Variable Sum(this Tape tape, Variable x) =>
        tape.Record(x.Value.Sum(), [x], [], (gradient, _) => x.Accumulate(Stretch(gradient, x.Value)));

    /// <summary>Mean of all elements, a scalar.</summary>
    public static Variable Mean(this Tape tape, Variable x) => tape.Scale(tape.Sum(x), 1.0 / x.Value.ElementCount);

    /// <summary>
    /// One sum for each run of a row of per-token values: sequence log-probabilities from token log-probabilities.
    /// </summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="values">[N].</param>
    /// <param name="offsets">
    /// S + 1 rising indices; run i is [offsets[i], offsets[i + 1]), and may be empty. Values outside every run count nowhere.
    /// </param>
    /// <param name="weights">[N] factors such as a loss mask, without gradient; null for ones.</param>
    /// <returns>[S].</returns>
    public static Variable SegmentSum(this Tape tape, Variable values, ReadOnlySpan<long> offsets, Tensor? weights = null)
    {
        using var scope = new TensorScope();
        CheckOffsets(offsets, values.Value);
        var weighted = weights is null ? values.Value : values.Value.Multiply(weights);
        var sums = new Tensor[offsets.Length - 1];
        for (var i = 0; i < sums.Length; i++)
            sums[i] = weighted.Narrow(0, offsets[i], offsets[i + 1] - offsets[i]).Sum(0, keepDim: true);
        var owners = Tensor.From(Owners(offsets, values.Value.Size(0)), values.Value.Device);
        var value = scope.Keep(Operator.Call("aten::cat"u8, default, sums, 0L));
        return tape.Record(value, [values], weights is null ? [owners] : [owners, weights], (gradient, saved) =>
        {
            // The last row, a zero, belongs to the values outside every run.
            var rows = Operator.Call("aten::cat"u8, default, new[] { gradient, Tensor.Zeros([1], gradient.DType, gradient.Device) }, 0L);
            var spread = rows.IndexSelect(0, saved[0]);
            values.Accumulate(saved.Length == 1 ? spread : spread.Multiply(saved[1]).To(gradient.DType));
        });
    }

    private static long[] Owners(ReadOnlySpan<long> offsets, long count)
    {
        var owners = new long[count];
        Array.Fill(owners, offsets.Length - 1);
        for (var i = 0; i + 1 < offsets.Length; i++)
            Array.Fill(owners, i, (int)offsets[i], (int)(offsets[i + 1] - offsets[i]));
        return owners;
    }

    private static void CheckOffsets(ReadOnlySpan<long> offsets, Tensor values)
    {
        if (values.DimensionCount != 1 || offsets.Length < 2)
            throw new ArgumentException(
                $"Runs of {values} with {offsets.Length} offsets: one dimension and at least two offsets are needed.", nameof(offsets));
        for (var i = 0; i < offsets.Length; i++)
        {
            if (offsets[i] < (i == 0 ? 0 : offsets[i - 1]) || offsets[i] > values.Size(0))
                throw new ArgumentException($"Offset {i} is {offsets[i]}: offsets rise from 0 to {values.Size(0)}.", nameof(offsets));
        }
    }

    private static Tensor Stretch(Tensor gradient, Tensor like) =>
        Operator.Call("aten::expand"u8, default, gradient, like.Shape.ToArray(), false).Contiguous();
}
