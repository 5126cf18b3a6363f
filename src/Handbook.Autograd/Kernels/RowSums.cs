using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Sums over rows in float32, in an order that does not depend on the number of threads: a fixed number of strips of rows,
/// each summed from top to bottom, then the strips one after the other.
/// </summary>
internal static unsafe class RowSums
{
    private const long RowsOfAStrip = 64;
    private const long MostStrips = 64;

    /// <summary>How many strips so many rows are cut into.</summary>
    internal static long StripCount(long rows) => Math.Clamp(rows / RowsOfAStrip, 1, MostStrips);

    /// <summary>Rows [First, End) of one strip.</summary>
    internal static (long First, long End) Strip(long strip, long strips, long rows) =>
        (rows * strip / strips, rows * (strip + 1) / strips);

    /// <summary>Sum of the rows of a [rows, width] tensor, [width] in another type.</summary>
    internal static Tensor Of(Tensor tensor, DType result) =>
        FusedKernels.ForWidth(Sum<Lanes16>, Sum<Lanes8>, Sum<Lanes4>)(tensor, result);

    private static Tensor Sum<V>(Tensor tensor, DType result) where V : unmanaged, ILanes<V>
    {
        using var scope = new TensorScope();
        var width = tensor.Size(-1);
        var rows = width == 0 ? 0 : tensor.ElementCount / width;
        var strips = StripCount(rows);
        var partial = Tensor.Zeros([strips, width], DType.Float32);
        if (tensor.DType == DType.Float32)
            Fill<float, SingleAccess, V>((float*)tensor.Pointer, (float*)partial.Pointer, rows, strips, width);
        else
            Fill<ushort, BFloat16Access, V>((ushort*)tensor.Pointer, (float*)partial.Pointer, rows, strips, width);
        return scope.Keep(OfStrips<V>(partial, result));
    }

    /// <summary>Sum of the strips of a float32 [strips, width] tensor, [width] in another type.</summary>
    internal static Tensor OfStrips<V>(Tensor partial, DType result) where V : unmanaged, ILanes<V>
    {
        var (strips, width) = (partial.Size(0), partial.Size(1));
        var sum = (float*)partial.Pointer;
        for (var strip = 1L; strip < strips; strip++)
            AddRow<float, SingleAccess, V>(sum + strip * width, sum, width);
        using var first = partial.Select(0, 0);
        return result == DType.Float32 ? first.Clone() : first.To(result);
    }

    private static void Fill<T, TAccess, V>(T* data, float* partial, long rows, long strips, long width)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        ParallelWork.For(strips, 1, (begin, end) =>
        {
            for (var strip = begin; strip < end; strip++)
            {
                var (row, last) = Strip(strip, strips, rows);
                for (; row < last; row++)
                    AddRow<T, TAccess, V>(data + row * width, partial + strip * width, width);
            }
        });
    }

    private static void AddRow<T, TAccess, V>(T* row, float* sum, long width)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        long i = 0;
        for (; i + V.Count <= width; i += V.Count)
            (V.Load(sum + i) + TAccess.Load<V>(row + i)).Store(sum + i);
        for (; i < width; i++)
            sum[i] += TAccess.Read(row + i);
    }
}
