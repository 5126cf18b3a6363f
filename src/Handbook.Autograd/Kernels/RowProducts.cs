using System.Runtime.Intrinsics;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Products of many rows with a weight in bfloat16, summed in float32 and rounded once: blocks of rows stay in the cache while
/// the weight's blocks pass by. Several terms (the projections of one input) are summed before the rounding.
/// </summary>
internal static unsafe class RowProducts
{
    private const int MostRows = 256;
    private const int Tile = 16;
    private const int FewestRows = 32;

    /// <summary>True when the tensors are right for these products and there are rows enough to pay for the packing.</summary>
    internal static bool Applies(Tensor rows, params ReadOnlySpan<Tensor> weights)
    {
        if (!CpuMatrixKernels.IsSupported || rows.DimensionCount != 2 || rows.Size(0) < FewestRows || rows.DType != DType.BFloat16 || !FusedKernels.Apply(rows))
            return false;
        foreach (var weight in weights)
        {
            if (weight.DType != DType.BFloat16 || weight.DimensionCount != 2 || !FusedKernels.Apply(weight) || weight.Size(0) % 2 != 0 || weight.Size(1) % 2 != 0)
                return false;
        }
        return true;
    }

    /// <summary>Σ rows_i · weight_i + bias.</summary>
    /// <param name="rows">[N, k_i] each.</param>
    /// <param name="weights">[k_i, n] each.</param>
    /// <param name="bias">[n] in any type, or null.</param>
    /// <returns>[N, n].</returns>
    internal static Tensor Sum(IReadOnlyList<Tensor> rows, IReadOnlyList<PackedMatrix> weights, Tensor? bias)
    {
        var (count, columns) = (rows[0].Size(0), weights[0].Columns);
        var result = Tensor.Empty([count, columns], DType.BFloat16);
        using var wideBias = bias?.To(DType.Float32);
        var offset = wideBias is null ? null : (float*)wideBias.Pointer;
        var target = (ushort*)result.Pointer;
        var most = BlockHeight(count);
        TaskQueue.Run((int)((count + most - 1) / most), task =>
        {
            var first = (long)task * most;
            var height = (int)Math.Min(most, count - first);
            var scratch = new ScratchMemory(ScratchMemory.Size<float>(most * PackedMatrix.BlockColumns));
            var sum = scratch.Take<float>(most * PackedMatrix.BlockColumns);
            for (var block = 0; block < weights[0].BlockCount; block++)
            {
                var width = weights[0].Width(block);
                for (var i = 0; i < weights.Count; i++)
                {
                    var depth = weights[i].Rows;
                    CpuMatrixKernels.Multiply(
                        height, width, depth, (ushort*)rows[i].Pointer + first * depth, depth, weights[i].Block(block), width, sum, width, accumulate: i > 0);
                }
                var column = (long)block * PackedMatrix.BlockColumns;
                for (var row = 0; row < height; row++)
                    Round(sum + (long)row * width, offset == null ? null : offset + column, target + (first + row) * columns + column, width);
            }
        });
        return result;
    }

    // Blocks of equal height and an even number of them, so that two or four threads end together. A row's sum does not depend on
    // the block it stands in.
    private static int BlockHeight(long count)
    {
        var blocks = (count + MostRows - 1) / MostRows;
        blocks += blocks % 2;
        return (int)((count + blocks - 1) / blocks + Tile - 1) / Tile * Tile;
    }

    /// <summary>Rounds float32 numbers, plus an offset each, to bfloat16.</summary>
    internal static void Round(float* source, float* offset, ushort* target, int count)
    {
        var i = 0;
        for (; i + 16 <= count; i += 16)
        {
            var value = Vector512.Load(source + i);
            BFloat16Vectors.Store(offset == null ? value : value + Vector512.Load(offset + i), target + i);
        }
        for (; i < count; i++)
            target[i] = BFloat16Vectors.FromSingle(offset == null ? source[i] : source[i] + offset[i]);
    }
}
