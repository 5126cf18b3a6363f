using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <content>
/// bfloat16 on libtorch's block products: Y^T = W X^T with always <see cref="Columns"/> rows of X, missing ones zero, so that a
/// row takes the same instructions whatever stands beside it.
/// </content>
internal static unsafe partial class RowProduct
{
    /// <summary>Rows of X at a time: one to each lane of a vector.</summary>
    private const int Columns = 16;

    /// <summary>Outputs at a time: their weights stay in the cache while all rows of X go by.</summary>
    private const int Outputs = 64;

    // Pairs of inputs are multiplied at once. Where that is slower than float32, the other way reads the same weights.
    private static bool BlocksFit(Tensor input, DType weight) =>
        FusedKernels.MultipliesBFloat16 && BFloat16Speed.IsFast
        && input.DType == DType.BFloat16 && weight == DType.BFloat16 && input.Size(1) % 2 == 0;

    private static void MultiplyBlocks<V>(Tensor x, WeightPanels weight, Tensor y) where V : unmanaged, ILanes<V>
    {
        var (rows, inputs, outputs) = ((int)x.Size(0), (int)x.Size(1), weight.Outputs);
        var blocks = (rows + Columns - 1) / Columns;
        using var packed = Interleave(x, rows, inputs, blocks);
        var (b, c) = ((nint)packed.Pointer, (nint)y.Pointer);
        TaskQueue.Run((int)((outputs + Outputs - 1) / Outputs), tile =>
        {
            var sums = stackalloc float[Outputs * Columns];
            var first = (long)tile * Outputs;
            var count = (int)Math.Min(Outputs, outputs - first);
            var room = weight.IsMade ? Room<ushort>(Outputs * inputs) : null;
            var source = weight.Rows<ushort, BFloat16Access, V>(first, count, room);
            for (var block = 0; block < blocks; block++)
            {
                CpuMatrixKernels.Multiply(
                    count, Columns, inputs, source, inputs, (ushort*)b + (long)block * inputs * Columns, Columns, sums, Columns,
                    accumulate: false);
                var width = Math.Min(Columns, rows - block * Columns);
                for (var column = 0; column < width; column++)
                {
                    var target = (float*)c + (long)(block * Columns + column) * outputs + first;
                    for (var output = 0; output < count; output++)
                        target[output] = sums[output * Columns + column];
                }
            }
        });
    }

    /// <summary>X^T by blocks of columns, pairs of inputs side by side: [blocks, inputs / 2, columns, 2].</summary>
    private static Tensor Interleave(Tensor x, int rows, int inputs, int blocks)
    {
        var packed = Tensor.Zeros([blocks, inputs / 2, Columns], DType.Int32);
        var source = (int*)x.Pointer;
        var target = (int*)packed.Pointer;
        for (var row = 0; row < rows; row++)
        {
            var column = target + (long)(row / Columns) * (inputs / 2) * Columns + row % Columns;
            for (var pair = 0; pair < inputs / 2; pair++)
                column[(long)pair * Columns] = source[(long)row * (inputs / 2) + pair];
        }
        return packed;
    }
}
