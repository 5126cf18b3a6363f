using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Products of many rows with a weight in bfloat16, summed in float32 and rounded once. A task packs some columns of the weight
/// into its cache and lets the rows pass by: a packed weight never goes through memory, where writing and reading it again took
/// as long as a tenth of the products. Several terms (the projections of one input) are summed before the rounding.
/// </summary>
internal static unsafe class RowProducts
{
    private const int MostRows = 256;
    private const int MostColumns = 192;

    /// <summary>Rows of a weight's columns that stay in the second-level cache while a block of rows is multiplied with them.</summary>
    private const long MostDepth = 768;

    private const int FewestRows = 32;

    /// <summary>True when the tensors are right for these products and there are rows enough to pay for the packing.</summary>
    internal static bool Applies(Tensor rows, params ReadOnlySpan<Tensor> weights)
    {
        if (rows.DimensionCount != 2 || rows.Size(0) < FewestRows || !KernelTable.Runs(Operation.Linear, rows))
            return false;
        foreach (var weight in weights)
        {
            if (weight.DimensionCount != 2 || !KernelTable.Runs(Operation.Linear, weight) || weight.Size(0) % 2 != 0
                || weight.Size(1) % 2 != 0)
                return false;
        }
        return true;
    }

    /// <summary>Σ rows_i · weight_i + bias.</summary>
    /// <param name="rows">[N, k_i] each.</param>
    /// <param name="weights">[k_i, n] each.</param>
    /// <param name="bias">[n] in any type, or null.</param>
    /// <returns>[N, n].</returns>
    internal static Tensor Sum(IReadOnlyList<Tensor> rows, IReadOnlyList<RightOperand> weights, Tensor? bias) =>
        FusedKernels.ForWidth(SumOf<Lanes16>, SumOf<Lanes8>, SumOf<Lanes4>)(rows, weights, bias);

    private static Tensor SumOf<V>(IReadOnlyList<Tensor> rows, IReadOnlyList<RightOperand> weights, Tensor? bias)
        where V : unmanaged, ILanes<V>
    {
        var (count, columns) = (rows[0].Size(0), weights[0].Columns);
        var result = Tensor.Empty([count, columns], DType.BFloat16);
        using var wideBias = bias?.To(DType.Float32);
        var offset = wideBias is null ? null : (float*)wideBias.Pointer;
        var target = (ushort*)result.Pointer;
        var width = EqualParts.Size(columns, MostColumns, even: true);
        var blocks = (int)((columns + width - 1) / width);
        var group = GroupSize(count, blocks);
        var groups = (int)((count + group - 1) / group);
        var height = EqualParts.Size(group, MostRows, even: false);
        var depths = weights.Sum(weight => weight.Rows);
        TaskQueue.Run(blocks * groups, task =>
        {
            var column = (long)(task / groups) * width;
            var (first, end) = ((long)(task % groups) * group, Math.Min(count, (task % groups + 1L) * group));
            var own = (int)Math.Min(width, columns - column);
            var scratch = new ScratchMemory(ScratchMemory.Size<ushort>(depths * own) + ScratchMemory.Size<float>(height * own));
            var packed = scratch.Take<ushort>(depths * own);
            var sum = scratch.Take<float>(height * own);
            var next = packed;
            foreach (var weight in weights)
            {
                weight.Pack<V>(column, own, next);
                next += weight.Rows * own;
            }
            for (; first < end; first += height)
            {
                var now = (int)Math.Min(height, end - first);
                next = packed;
                for (var i = 0; i < weights.Count; i++)
                {
                    var inner = weights[i].Rows;
                    for (var from = 0L; from < inner; from += MostDepth)
                    {
                        var depth = Math.Min(MostDepth, inner - from);
                        BlockProduct<V>.Multiply(
                            now, own, depth, (ushort*)rows[i].Pointer + first * inner + from, inner, next, own, sum, own,
                            accumulate: i > 0 || from > 0);
                        next += depth * own;
                    }
                }
                for (var row = 0; row < now; row++)
                    Round<V>(
                        sum + (long)row * own, offset == null ? null : offset + column, target + (first + row) * columns + column, own);
            }
        });
        return result;
    }

    // Every group of rows packs the columns anew, so there are more than one only where threads would have nothing to do. A row's
    // sum does not depend on the group it stands in.
    private static long GroupSize(long count, int blocks)
    {
        var groups = Math.Max(1, (2 * ParallelWork.ThreadCount + blocks - 1) / blocks);
        return Math.Max(FewestRows, EqualParts.Size(count, (count + groups - 1) / groups, even: false));
    }

    /// <summary>Rounds float32 numbers, plus an offset each, to bfloat16.</summary>
    internal static void Round<V>(float* source, float* offset, ushort* target, int count) where V : unmanaged, ILanes<V>
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            var value = V.Load(source + i);
            BFloat16Vectors.Store(offset == null ? value : value + V.Load(offset + i), target + i);
        }
        for (; i < count; i++)
            target[i] = BFloat16Vectors.FromSingle(offset == null ? source[i] : source[i] + offset[i]);
    }
}
