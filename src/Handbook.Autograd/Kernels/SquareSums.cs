using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Sums of squares in float64, for float32 and bfloat16 in host memory: over fixed blocks, so that they do not depend on the number of
/// threads.
/// </summary>
internal static class SquareSums
{
    private const int Block = 1 << 14;

    /// <summary>The sum over all elements.</summary>
    internal static double Of(Tensor tensor)
    {
        var partial = new double[(tensor.ElementCount + Block - 1) / Block];
        FusedKernels.ForWidth(Sum<Lanes16>, Sum<Lanes8>, Sum<Lanes4>)(tensor, partial);
        return partial.Sum();
    }

    private static unsafe void Sum<V>(Tensor tensor, double[] partial) where V : unmanaged, ILanes<V>
    {
        if (tensor.DType == DType.Float32)
            Sum<float, SingleAccess, V>((float*)tensor.Pointer, tensor.ElementCount, partial);
        else
            Sum<ushort, BFloat16Access, V>((ushort*)tensor.Pointer, tensor.ElementCount, partial);
    }

    private static unsafe void Sum<T, TAccess, V>(T* data, long count, double[] partial)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        ParallelWork.ForBlocks(count, Block, (begin, end) =>
        {
            for (var start = begin; start < end; start += Block)
                partial[start / Block] = BlockSum<T, TAccess, V>(data + start, Math.Min(Block, end - start));
        });
    }

    private static unsafe double BlockSum<T, TAccess, V>(T* data, long count)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var low = default(V);
        var high = default(V);
        long i = 0;
        for (; i + V.Count <= count; i += V.Count)
            V.AddSquares(TAccess.Load<V>(data + i), ref low, ref high);
        var sum = V.SumDoubles(low, high);
        for (; i < count; i++)
        {
            var v = (double)TAccess.Read(data + i);
            sum += v * v;
        }
        return sum;
    }
}
