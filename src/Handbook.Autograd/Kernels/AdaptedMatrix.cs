using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// factor · (W + B A) of a float32 product, a factor a row: the sum is made of a block of W that was packed into the cache, so that it
/// costs as much as one row a rank, is never a matrix in memory, and the rows meet nothing but W's size. In bfloat16 the sum would lose
/// the delta to its rounding, so that rows meet W and the pair one after the other there.
/// </summary>
internal sealed class AdaptedMatrix : MatrixOperand
{
    private readonly MatrixOperand inner;
    private readonly Tensor down;
    private readonly Tensor up;
    private readonly Tensor? factors;

    /// <summary>Describes the sum; the tensors must outlive it.</summary>
    /// <param name="inner">W, [out, in].</param>
    /// <param name="down">A, float32 [rank, in].</param>
    /// <param name="up">B, float32 [out, rank].</param>
    /// <param name="factors">float32 [out], or null for ones.</param>
    internal AdaptedMatrix(MatrixOperand inner, Tensor down, Tensor up, Tensor? factors) =>
        (this.inner, this.down, this.up, this.factors) = (inner, down, up, factors);

    public override ReadOnlySpan<long> Shape => inner.Shape;

    public override Device Device => inner.Device;

    internal override bool IsQuantized => true;

    internal override WeightPanels Panels => new AdaptedPanels(inner.Panels, down, up, factors);

    /// <summary>True when it is cheaper to add the pair to the matrix than to lead each of the rows through it.</summary>
    internal static bool Pays(Tensor rows, ReadOnlySpan<long> shape, DType pair) =>
        shape is [var outputs, var inputs] && outputs % 2 == 0 && inputs % 2 == 0 && rows.DimensionCount == 2
        && rows.DType == DType.Float32 && pair == DType.Float32 && rows.Size(0) * (outputs + inputs) > outputs * inputs
        && KernelTable.Runs(Operation.QuantizedLinear, rows);

    public override MatrixOperand Select(int part) => throw new InvalidOperationException("One matrix is no stack.");

    public override Tensor ToTensor(DType dtype)
    {
        var sum = inner.ToTensor(dtype).Add(up.MatMul(down).To(dtype));
        return factors is null ? sum : sum.Multiply(factors.To(dtype).View(-1, 1));
    }

    internal override bool Fits(DType rows) => rows == DType.Float32 && inner.Fits(rows);
}

/// <summary>Its blocks: those of W, to each of which its part of B A is added where it lies.</summary>
internal sealed unsafe class AdaptedPanels : WeightPanels
{
    private readonly WeightPanels inner;
    private readonly Tensor down;
    private readonly Tensor up;
    private readonly Tensor columns;
    private readonly Tensor rows;
    private readonly float* factors;
    private readonly long rank;

    internal AdaptedPanels(WeightPanels inner, Tensor down, Tensor up, Tensor? factors) : base(inner.Outputs, inner.Inputs)
    {
        (this.inner, rank) = (inner, down.Size(0));
        (this.down, this.up) = (down.Contiguous(), up.Contiguous());
        (columns, rows) = (down.Transpose(0, 1).Contiguous(), up.Transpose(0, 1).Contiguous());
        this.factors = factors is null ? null : (float*)factors.Pointer;
    }

    internal override bool IsMade => true;

    internal override T* Rows<T, TAccess, V>(long first, int count, T* room)
    {
        var source = inner.Rows<T, TAccess, V>(first, count, room);
        if (source != room)
            new ReadOnlySpan<T>(source, (int)(count * Inputs)).CopyTo(new Span<T>(room, (int)(count * Inputs)));
        BlockProduct<V>.Multiply(
            count, Inputs, rank, (float*)up.Pointer + first * rank, rank, (float*)down.Pointer, Inputs, (float*)room, Inputs,
            accumulate: true);
        if (factors != null)
            ScaleRows<V>((float*)room, first, count, Inputs);
        return room;
    }

    internal override void Pack<T, TFormat, V>(long firstColumn, int width, T* target)
    {
        inner.Pack<T, TFormat, V>(firstColumn, width, target);
        BlockProduct<V>.Multiply(
            Outputs, width, rank, (float*)up.Pointer, rank, (float*)down.Pointer + firstColumn, Inputs, (float*)target, width,
            accumulate: true);
        if (factors != null)
            ScaleRows<V>((float*)target, 0, Outputs, width);
    }

    internal override void PackTransposed<T, TFormat, V>(long firstRow, int width, T* target)
    {
        inner.PackTransposed<T, TFormat, V>(firstRow, width, target);
        BlockProduct<V>.Multiply(
            Inputs, width, rank, (float*)columns.Pointer, rank, (float*)rows.Pointer + firstRow, Outputs, (float*)target, width,
            accumulate: true);
        if (factors == null)
            return;
        for (var row = 0L; row < Inputs; row++)
        {
            var numbers = (float*)target + row * width;
            var i = 0;
            for (; i + V.Count <= width; i += V.Count)
                (V.Load(numbers + i) * V.Load(factors + firstRow + i)).Store(numbers + i);
            for (; i < width; i++)
                numbers[i] *= factors[firstRow + i];
        }
    }

    private void ScaleRows<V>(float* numbers, long first, long count, long width) where V : unmanaged, ILanes<V>
    {
        for (var row = 0L; row < count; row++, numbers += width)
        {
            var factor = factors[first + row];
            var i = 0L;
            for (; i + V.Count <= width; i += V.Count)
                (V.Load(numbers + i) * factor).Store(numbers + i);
            for (; i < width; i++)
                numbers[i] *= factor;
        }
    }
}
