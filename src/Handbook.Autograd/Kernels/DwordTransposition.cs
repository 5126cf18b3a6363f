using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Transposes matrices of 32-bit elements, a square as wide as a register at a time: float32 numbers, or pairs of bfloat16 that
/// stay together.
/// </summary>
internal static unsafe class DwordTransposition
{
    /// <summary>target[c, r] = source[r, c]; strides in elements. Tails go one by one.</summary>
    internal static void Run<V>(float* source, long sourceStride, int rows, int columns, float* target, long targetStride)
        where V : unmanaged, ILanes<V>
    {
        var wholeRows = rows / V.Count * V.Count;
        var wholeColumns = columns / V.Count * V.Count;
        for (var r = 0; r < wholeRows; r += V.Count)
        {
            for (var c = 0; c < wholeColumns; c += V.Count)
                Square<V>(source + r * sourceStride + c, sourceStride, target + c * targetStride + r, targetStride);
        }
        for (var r = 0; r < rows; r++)
        {
            for (var c = r < wholeRows ? wholeColumns : 0; c < columns; c++)
                target[c * targetStride + r] = source[r * sourceStride + c];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square<V>(float* source, long sourceStride, float* target, long targetStride) where V : unmanaged, ILanes<V>
    {
        if (V.Count == 16)
            Square16(source, sourceStride, target, targetStride);
        else if (V.Count == 8)
            Square8(source, sourceStride, target, targetStride);
        else
            Square4(source, sourceStride, target, targetStride);
    }

    /// <summary>
    /// Lanes are exchanged with neighbours at distance 1 and 2 within four rows, then at 4 and 8 among the fours. The sixteen rows stay
    /// in registers.
    /// </summary>
    private static void Square16(float* source, long sourceStride, float* target, long targetStride)
    {
        Four16(source, sourceStride, out var a0, out var a1, out var a2, out var a3);
        Four16(source + 4 * sourceStride, sourceStride, out var b0, out var b1, out var b2, out var b3);
        Four16(source + 8 * sourceStride, sourceStride, out var c0, out var c1, out var c2, out var c3);
        Four16(source + 12 * sourceStride, sourceStride, out var d0, out var d1, out var d2, out var d3);
        Store(a0, b0, c0, d0, target, 4 * targetStride);
        Store(a1, b1, c1, d1, target + targetStride, 4 * targetStride);
        Store(a2, b2, c2, d2, target + 2 * targetStride, 4 * targetStride);
        Store(a3, b3, c3, d3, target + 3 * targetStride, 4 * targetStride);
    }

    /// <summary>Transposes the 4 x 4 squares of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four16(
        float* source, long stride, out Vector512<float> first, out Vector512<float> second, out Vector512<float> third,
        out Vector512<float> fourth)
    {
        var (a, b) = (Vector512.Load(source), Vector512.Load(source + stride));
        var (c, d) = (Vector512.Load(source + 2 * stride), Vector512.Load(source + 3 * stride));
        var (lowAB, highAB) = (Avx512F.UnpackLow(a, b).AsDouble(), Avx512F.UnpackHigh(a, b).AsDouble());
        var (lowCD, highCD) = (Avx512F.UnpackLow(c, d).AsDouble(), Avx512F.UnpackHigh(c, d).AsDouble());
        first = Avx512F.UnpackLow(lowAB, lowCD).AsSingle();
        second = Avx512F.UnpackHigh(lowAB, lowCD).AsSingle();
        third = Avx512F.UnpackLow(highAB, highCD).AsSingle();
        fourth = Avx512F.UnpackHigh(highAB, highCD).AsSingle();
    }

    /// <summary>Puts the squares of the same row of four fours together, and stores four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* target, long stride)
    {
        const byte Even = 0x88, Odd = 0xDD;
        var (evenAB, oddAB) = (Avx512F.Shuffle4x128(a, b, Even), Avx512F.Shuffle4x128(a, b, Odd));
        var (evenCD, oddCD) = (Avx512F.Shuffle4x128(c, d, Even), Avx512F.Shuffle4x128(c, d, Odd));
        Avx512F.Shuffle4x128(evenAB, evenCD, Even).Store(target);
        Avx512F.Shuffle4x128(oddAB, oddCD, Even).Store(target + stride);
        Avx512F.Shuffle4x128(evenAB, evenCD, Odd).Store(target + 2 * stride);
        Avx512F.Shuffle4x128(oddAB, oddCD, Odd).Store(target + 3 * stride);
    }

    private static void Square8(float* source, long sourceStride, float* target, long targetStride)
    {
        Four8(source, sourceStride, out var a0, out var a1, out var a2, out var a3);
        Four8(source + 4 * sourceStride, sourceStride, out var b0, out var b1, out var b2, out var b3);
        Store(a0, b0, target, 4 * targetStride);
        Store(a1, b1, target + targetStride, 4 * targetStride);
        Store(a2, b2, target + 2 * targetStride, 4 * targetStride);
        Store(a3, b3, target + 3 * targetStride, 4 * targetStride);
    }

    /// <summary>Transposes the 4 x 4 squares of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four8(
        float* source, long stride, out Vector256<float> first, out Vector256<float> second, out Vector256<float> third,
        out Vector256<float> fourth)
    {
        var (a, b) = (Vector256.Load(source), Vector256.Load(source + stride));
        var (c, d) = (Vector256.Load(source + 2 * stride), Vector256.Load(source + 3 * stride));
        var (lowAB, highAB) = (Avx.UnpackLow(a, b).AsDouble(), Avx.UnpackHigh(a, b).AsDouble());
        var (lowCD, highCD) = (Avx.UnpackLow(c, d).AsDouble(), Avx.UnpackHigh(c, d).AsDouble());
        first = Avx.UnpackLow(lowAB, lowCD).AsSingle();
        second = Avx.UnpackHigh(lowAB, lowCD).AsSingle();
        third = Avx.UnpackLow(highAB, highCD).AsSingle();
        fourth = Avx.UnpackHigh(highAB, highCD).AsSingle();
    }

    /// <summary>Puts the squares of the same row of two fours together, and stores two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> a, Vector256<float> b, float* target, long stride)
    {
        const byte Lower = 0x20, Upper = 0x31;
        Avx.Permute2x128(a, b, Lower).Store(target);
        Avx.Permute2x128(a, b, Upper).Store(target + stride);
    }

    private static void Square4(float* source, long sourceStride, float* target, long targetStride)
    {
        var (a, b) = (Vector128.Load(source), Vector128.Load(source + sourceStride));
        var (c, d) = (Vector128.Load(source + 2 * sourceStride), Vector128.Load(source + 3 * sourceStride));
        var (lowAC, highAC) = (Low(a, c), High(a, c));
        var (lowBD, highBD) = (Low(b, d), High(b, d));
        Low(lowAC, lowBD).Store(target);
        High(lowAC, lowBD).Store(target + targetStride);
        Low(highAC, highBD).Store(target + 2 * targetStride);
        High(highAC, highBD).Store(target + 3 * targetStride);
    }

    /// <summary>The lower halves of two registers, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> Low(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
            : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>The upper halves of two registers, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> High(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
            : Vector128.Create(a[2], b[2], a[3], b[3]);
}
