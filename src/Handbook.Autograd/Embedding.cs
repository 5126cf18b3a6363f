using System.Runtime.CompilerServices;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Rows of a table picked by token id.</summary>
public static class Embedding
{
    /// <summary>Looks tokens up.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="ids">int64 [N], each in [0, V).</param>
    /// <param name="weight">[V, C].</param>
    /// <returns>[N, C].</returns>
    public static Variable Apply(Tape tape, Tensor ids, Weight weight)
    {
        using var table = weight.Lease();
        var fused = KernelTable.Runs(Operation.Embedding, table.Value) && table.Value.DimensionCount == 2 && ids is { IsCpu: true, DType: DType.Int64, IsContiguous: true };
        var value = fused ? Fused.Forward(ids, table.Value) : table.Value.IndexSelect(0, ids);
        return tape.Record(value, [], [ids], (gradient, saved) =>
        {
            if (weight.Gradient is not { } sink)
                return;
            if (!fused || !KernelTable.Runs(Operation.Embedding, gradient))
                sink.Add(PlainBackward(gradient, saved[0], weight.Shape, weight.DType));
            else if (sink.Sum is { } sum)
                Fused.AddRows(gradient, saved[0], sum);
            else
                sink.Add(Fused.Backward(gradient, saved[0], weight.Shape, weight.DType));
        }, [weight]);
    }

    /// <summary>Rows of one token are summed in float32, in the order of their positions.</summary>
    internal static Tensor PlainBackward(Tensor gradient, Tensor ids, ReadOnlySpan<long> shape, DType dtype)
    {
        using var scope = new TensorScope();
        var sum = Operator.Call("aten::index_select_backward"u8, default, gradient.To(Shapes.SumType(gradient)), shape.ToArray(), 0L, ids);
        return scope.Keep(sum.To(dtype));
    }

    /// <summary>For float32 and bfloat16 in host memory.</summary>
    private static unsafe class Fused
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
}
