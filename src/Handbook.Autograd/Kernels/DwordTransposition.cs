using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Transposes matrices of 32-bit elements, 16 x 16 in registers at a time: float32 numbers, or pairs of bfloat16 that stay
/// together.
/// </summary>
internal static unsafe class DwordTransposition
{
    private const int Tile = 16;

    /// <summary>target[c, r] = source[r, c]; strides in elements. Tails go one by one.</summary>
    internal static void Run(float* source, long sourceStride, int rows, int columns, float* target, long targetStride)
    {
        var wholeRows = rows / Tile * Tile;
        var wholeColumns = columns / Tile * Tile;
        for (var r = 0; r < wholeRows; r += Tile)
        {
            for (var c = 0; c < wholeColumns; c += Tile)
                Transpose(source + r * sourceStride + c, sourceStride, target + c * targetStride + r, targetStride);
        }
        for (var r = 0; r < rows; r++)
        {
            for (var c = r < wholeRows ? wholeColumns : 0; c < columns; c++)
                target[c * targetStride + r] = source[r * sourceStride + c];
        }
    }

    /// <summary>One tile, in three steps that exchange neighbours at distance 1, 2, and then 4 and 8 lanes.</summary>
    [SkipLocalsInit]
    private static void Transpose(float* source, long sourceStride, float* target, long targetStride)
    {
        var lanes = stackalloc Vector512<float>[Tile];
        for (var i = 0; i < Tile; i += 4)
        {
            var a = Vector512.Load(source + i * sourceStride);
            var b = Vector512.Load(source + (i + 1) * sourceStride);
            var c = Vector512.Load(source + (i + 2) * sourceStride);
            var d = Vector512.Load(source + (i + 3) * sourceStride);
            var lowAB = Avx512F.UnpackLow(a, b).AsDouble();
            var highAB = Avx512F.UnpackHigh(a, b).AsDouble();
            var lowCD = Avx512F.UnpackLow(c, d).AsDouble();
            var highCD = Avx512F.UnpackHigh(c, d).AsDouble();
            lanes[i] = Avx512F.UnpackLow(lowAB, lowCD).AsSingle();
            lanes[i + 1] = Avx512F.UnpackHigh(lowAB, lowCD).AsSingle();
            lanes[i + 2] = Avx512F.UnpackLow(highAB, highCD).AsSingle();
            lanes[i + 3] = Avx512F.UnpackHigh(highAB, highCD).AsSingle();
        }
        for (var i = 0; i < 4; i++)
        {
            var firstEven = Avx512F.Shuffle4x128(lanes[i], lanes[i + 4], 0x88);
            var firstOdd = Avx512F.Shuffle4x128(lanes[i], lanes[i + 4], 0xDD);
            var lastEven = Avx512F.Shuffle4x128(lanes[i + 8], lanes[i + 12], 0x88);
            var lastOdd = Avx512F.Shuffle4x128(lanes[i + 8], lanes[i + 12], 0xDD);
            Avx512F.Shuffle4x128(firstEven, lastEven, 0x88).Store(target + i * targetStride);
            Avx512F.Shuffle4x128(firstOdd, lastOdd, 0x88).Store(target + (i + 4) * targetStride);
            Avx512F.Shuffle4x128(firstEven, lastEven, 0xDD).Store(target + (i + 8) * targetStride);
            Avx512F.Shuffle4x128(firstOdd, lastOdd, 0xDD).Store(target + (i + 12) * targetStride);
        }
    }
}
