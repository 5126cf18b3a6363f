using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Products of many rows with a weight in bfloat16, or with one in codes of few bits, summed in float32 and rounded once. A task packs
/// some columns of the weight into its cache and lets the rows pass by: a packed weight never goes through memory, where writing and
/// reading it again took as long as a tenth of the products. Several terms (the projections of one input) are summed before the rounding.
/// </summary>
internal static unsafe class RowProducts
{
    private const int MostRows = 256;
    private const int MostColumns = 192;

    /// <summary>Rows of a weight's columns that stay in the second-level cache while a block of rows is multiplied with them.</summary>
    private const long MostDepth = 768;

    private const int FewestRows = 32;

    /// <summary>True when rows are right for these products and there are enough of them to pay for the packing.</summary>
    internal static bool Applies(Tensor rows) =>
        rows.DimensionCount == 2 && rows.Size(0) >= FewestRows && KernelTable.Runs(Operation.Linear, rows);

    /// <summary>
    /// True when all terms are right for these products. Codes of few bits take them for any number of rows, and in float32 too: what
    /// they would cost as a tensor is more.
    /// </summary>
    internal static bool Applies(IReadOnlyList<ProductTerm> terms)
    {
        var quantized = terms.Any(term => term.Weight.IsQuantized);
        return terms.All(term => term.Rows.DType == terms[0].Rows.DType && Fits(term.Weight, term.Rows.DType)
            && (quantized ? term.Rows.DimensionCount == 2 && KernelTable.Runs(Operation.QuantizedLinear, term.Rows) : Applies(term.Rows)));
    }

    // Pairs of rows and columns are multiplied at once.
    private static bool Fits(MatrixOperand weight, DType rows) =>
        weight.Shape is [var outputs, var inputs] && outputs % 2 == 0 && inputs % 2 == 0 && weight.Fits(rows);

    /// <summary>Σ rows_i · weight_i + bias.</summary>
    /// <param name="terms">Rows [N, k_i] and weights [k_i, n] each.</param>
    /// <param name="isTransposed">Whether the weights are [n, k_i] instead.</param>
    /// <param name="bias">[n] in any type, or null.</param>
    /// <returns>[N, n].</returns>
    internal static Tensor Sum(IReadOnlyList<ProductTerm> terms, bool isTransposed, Tensor? bias)
    {
        var rows = terms.Select(term => term.Rows).ToList();
        var weights = terms.Select(term => new RightOperand(term.Weight.Panels, isTransposed)).ToList();
        return FusedKernels.ForWidth(SumOf<Lanes16>, SumOf<Lanes8>, SumOf<Lanes4>)(rows, weights, bias);
    }

    private static Tensor SumOf<V>(IReadOnlyList<Tensor> rows, IReadOnlyList<RightOperand> weights, Tensor? bias)
        where V : unmanaged, ILanes<V> =>
        rows[0].DType == DType.Float32
            ? SumOf<float, SingleBlocks<V>, V>(rows, weights, bias)
            : SumOf<ushort, BFloat16Blocks<V>, V>(rows, weights, bias);

    private static Tensor SumOf<T, TFormat, V>(IReadOnlyList<Tensor> rows, IReadOnlyList<RightOperand> weights, Tensor? bias)
        where T : unmanaged
        where TFormat : struct, IBlockFormat<T, V>
        where V : unmanaged, ILanes<V>
    {
        var (count, columns) = (rows[0].Size(0), weights[0].Columns);
        var result = Tensor.Empty([count, columns], rows[0].DType);
        using var wideBias = bias?.To(DType.Float32);
        var offset = wideBias is null ? null : (float*)wideBias.Pointer;
        var target = (T*)result.Pointer;
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
            var scratch = new ScratchMemory(ScratchMemory.Size<T>(depths * own) + ScratchMemory.Size<float>(height * own));
            var packed = scratch.Take<T>(depths * own);
            var sum = scratch.Take<float>(height * own);
            var next = packed;
            foreach (var weight in weights)
            {
                weight.Pack<T, TFormat, V>(column, own, next);
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
                        TFormat.Multiply(
                            now, own, depth, (T*)rows[i].Pointer + first * inner + from, inner, next, own, sum, own,
                            accumulate: i > 0 || from > 0);
                        next += depth * own;
                    }
                }
                for (var row = 0; row < now; row++)
                {
                    Round<T, TFormat, V>(
                        sum + (long)row * own, offset == null ? null : offset + column, target + (first + row) * columns + column, own);
                }
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

    /// <summary>Rounds float32 numbers, plus an offset each.</summary>
    internal static void Round<T, TAccess, V>(float* source, float* offset, T* target, int count)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            var value = V.Load(source + i);
            TAccess.Store(offset == null ? value : value + V.Load(offset + i), target + i);
        }
        for (; i < count; i++)
            TAccess.Write(offset == null ? source[i] : source[i] + offset[i], target + i);
    }
}
