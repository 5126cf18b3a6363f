using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Rows of a table by token id, and their sums back into it, for float32 and bfloat16 in host memory.</summary>
internal static unsafe class EmbeddingKernel
{
    private const long RowGrain = 64;

    internal static Tensor Forward(Tensor ids, Tensor weight)
    {
        var (vocabulary, width) = (weight.Size(0), weight.Size(1));
        foreach (var id in ids.Span<long>())
        {
            if (id < 0 || id >= vocabulary)
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"A token id lies in [0, {vocabulary}).");
        }
        var rows = Tensor.Empty([ids.ElementCount, width], weight.DType);
        var bytes = width * weight.DType.Size();
        var source = (byte*)weight.Pointer;
        var target = (byte*)rows.Pointer;
        var index = (long*)ids.Pointer;
        ParallelWork.For(ids.ElementCount, RowGrain, (begin, end) =>
        {
            for (var i = begin; i < end; i++)
                Unsafe.CopyBlock(target + i * bytes, source + index[i] * bytes, (uint)bytes);
        });
        return rows;
    }

    internal static Tensor Backward(Tensor gradient, Tensor ids, ReadOnlySpan<long> shape, DType dtype)
    {
        var result = Tensor.Zeros(shape, dtype);
        ScatterRows(gradient, ids, result);
        return result;
    }

    /// <summary>Adds every token's row to its row of a float32 [V, C] sum.</summary>
    internal static void AddRows(Tensor gradient, Tensor ids, Tensor sum) => ScatterRows(gradient, ids, sum);

    private static void ScatterRows(Tensor gradient, Tensor ids, Tensor table) =>
        FusedKernels.ForWidth(Scatter<Lanes16>, Scatter<Lanes8>, Scatter<Lanes4>)(gradient, ids, table);

    private static void Scatter<V>(Tensor gradient, Tensor ids, Tensor table) where V : unmanaged, ILanes<V>
    {
        var single = gradient.DType == DType.Float32;
        if (single && table.DType == DType.Float32)
            ScatterRows<float, SingleAccess, float, SingleAccess, V>(gradient, ids, table);
        else if (single)
            ScatterRows<float, SingleAccess, ushort, BFloat16Access, V>(gradient, ids, table);
        else if (table.DType == DType.Float32)
            ScatterRows<ushort, BFloat16Access, float, SingleAccess, V>(gradient, ids, table);
        else
            ScatterRows<ushort, BFloat16Access, ushort, BFloat16Access, V>(gradient, ids, table);
    }

    // Each row of the table belongs to one thread, which adds its tokens in the order of their positions.
    private static void ScatterRows<T, TAccess, TTable, TTableAccess, V>(Tensor gradients, Tensor ids, Tensor table)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where TTable : unmanaged
        where TTableAccess : struct, IFloatAccess<TTable>
        where V : unmanaged, ILanes<V>
    {
        var (order, runs) = Runs(ids.Span<long>());
        var width = table.Size(1);
        var gradient = (T*)gradients.Pointer;
        var target = (TTable*)table.Pointer;
        ParallelWork.For(runs.Length - 1, RowGrain, (begin, end) =>
        {
            var sum = new float[width];
            fixed (float* total = sum)
            {
                for (var run = begin; run < end; run++)
                {
                    var row = target + (order[runs[run]] >> 32) * width;
                    AddRow<TTable, TTableAccess, V>(row, total, width, replace: true);
                    for (var i = runs[run]; i < runs[run + 1]; i++)
                        AddRow<T, TAccess, V>(gradient + (uint)order[i] * width, total, width, replace: false);
                    StoreRow<TTable, TTableAccess, V>(total, row, width);
                }
            }
        });
    }

    // Positions sorted by id, the id in the upper half of each word, and where each id's run begins.
    private static (long[] Order, int[] Runs) Runs(ReadOnlySpan<long> ids)
    {
        var order = new long[ids.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = ids[i] << 32 | (uint)i;
        Array.Sort(order);
        var runs = new List<int>();
        for (var i = 0; i < order.Length; i++)
        {
            if (i == 0 || order[i] >> 32 != order[i - 1] >> 32)
                runs.Add(i);
        }
        runs.Add(order.Length);
        return (order, [.. runs]);
    }

    private static void AddRow<T, TAccess, V>(T* row, float* sum, long width, bool replace)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        long i = 0;
        for (; i + V.Count <= width; i += V.Count)
            (replace ? TAccess.Load<V>(row + i) : V.Load(sum + i) + TAccess.Load<V>(row + i)).Store(sum + i);
        for (; i < width; i++)
            sum[i] = (replace ? 0 : sum[i]) + TAccess.Read(row + i);
    }

    private static void StoreRow<T, TAccess, V>(float* sum, T* row, long width)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        long i = 0;
        for (; i + V.Count <= width; i += V.Count)
            TAccess.Store(V.Load(sum + i), row + i);
        for (; i < width; i++)
            TAccess.Write(sum[i], row + i);
    }
}
