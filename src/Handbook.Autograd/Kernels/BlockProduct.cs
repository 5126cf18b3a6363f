using System.Runtime.InteropServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// C[m, n] = (accumulate ? C : 0) + A[m, k] · B[k, n] on one thread, summed in float32. Where the processor multiplies no bfloat16, its
/// operands are widened piece by piece into the cache and multiplied there.
/// </summary>
internal static unsafe class BlockProduct<V> where V : unmanaged, ILanes<V>
{
    // A piece of B fills a small second-level cache by half, a strip of A a quarter of that.
    private const int PieceDepth = 256;
    private const int PieceColumns = 128;
    private const int StripRows = 64;

    [ThreadStatic]
    private static float* memory;

    /// <summary>float32, all row-major.</summary>
    internal static void Multiply(
        long m, long n, long k, float* a, long strideA, float* b, long strideB, float* c, long strideC, bool accumulate) =>
        CpuMatrixKernels.Multiply(m, n, k, a, strideA, b, strideB, c, strideC, accumulate);

    /// <summary>bfloat16: A is row-major, of B pairs of rows are interleaved, k is even.</summary>
    internal static void Multiply(
        long m, long n, long k, ushort* a, long strideA, ushort* b, long strideB, float* c, long strideC, bool accumulate)
    {
        if (FusedKernels.MultipliesBFloat16)
        {
            CpuMatrixKernels.Multiply(m, n, k, a, strideA, b, strideB, c, strideC, accumulate);
            return;
        }
        if (memory == null)
            memory = (float*)NativeMemory.AlignedAlloc((PieceDepth * PieceColumns + StripRows * PieceDepth) * sizeof(float), 64);
        var right = memory;
        var left = memory + PieceDepth * PieceColumns;
        for (var row = 0L; row < k; row += PieceDepth)
        {
            var depth = (int)Math.Min(PieceDepth, k - row);
            for (var column = 0L; column < n; column += PieceColumns)
            {
                var width = (int)Math.Min(PieceColumns, n - column);
                for (var pair = 0; pair < depth; pair += 2)
                    WidenPair(b + (row + pair) * strideB + 2 * column, right + pair * width, width);
                for (var first = 0L; first < m; first += StripRows)
                {
                    var height = (int)Math.Min(StripRows, m - first);
                    for (var i = 0; i < height; i++)
                        Widen(a + (first + i) * strideA + row, left + i * depth, depth);
                    CpuMatrixKernels.Multiply(
                        height, width, depth, left, depth, right, width, c + first * strideC + column, strideC, accumulate || row > 0);
                }
            }
        }
    }

    private static void Widen(ushort* source, float* target, int count)
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
            BFloat16Vectors.Load<V>(source + i).Store(target + i);
        for (; i < count; i++)
            target[i] = BFloat16Vectors.ToSingle(source[i]);
    }

    /// <summary>Two rows, interleaved, into one after the other.</summary>
    private static void WidenPair(ushort* source, float* target, int width)
    {
        var i = 0;
        for (; i + V.Count <= width; i += V.Count)
        {
            var both = V.Load((float*)source + i);
            V.ShiftLeft(both, 16).Store(target + i);
            (both & V.CreateBits(0xFFFF0000u)).Store(target + width + i);
        }
        for (; i < width; i++)
        {
            target[i] = BFloat16Vectors.ToSingle(source[2 * i]);
            target[width + i] = BFloat16Vectors.ToSingle(source[2 * i + 1]);
        }
    }
}
