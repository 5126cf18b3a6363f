using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Handbook.Autograd.Kernels;

/// <summary>bfloat16 in SIMD registers: 16 elements at a time, computed in float32.</summary>
internal static unsafe class BFloat16Vectors
{
    /// <summary>Sixteen bfloat16 as float32: the bits are the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Load(ushort* source) =>
        Vector512.ShiftLeft(Widen(Vector256.Load(source)), 16).AsSingle();

    /// <summary>Rounds to nearest, ties to even, and stores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store(Vector512<float> value, ushort* target)
    {
        var high = Vector512.ShiftRightLogical(RoundedBits(value), 16);
        if (System.Runtime.Intrinsics.X86.Avx512F.IsSupported)
            System.Runtime.Intrinsics.X86.Avx512F.ConvertToVector256UInt16(high).Store(target);
        else
            Vector256.Narrow(high.GetLower(), high.GetUpper()).Store(target);
    }

    /// <summary>Rounds to nearest, ties to even; the result is float32 with a bfloat16 value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Round(Vector512<float> value) =>
        (RoundedBits(value) & Vector512.Create(0xFFFF0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> RoundedBits(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector512.Create(0x7FFFu) + (Vector512.ShiftRightLogical(bits, 16) & Vector512.Create(1u));
        // A NaN whose payload lies in the lower half only would round to infinity: force a payload bit that survives.
        var isNumber = Vector512.Equals(value, value).AsUInt32();
        return Vector512.ConditionalSelect(isNumber, rounded, bits | Vector512.Create(0x00400000u));
    }

    /// <summary>One element as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>One element rounded to nearest, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return (ushort)((bits | 0x00400000u) >> 16);
        return (ushort)((bits + 0x7FFFu + ((bits >> 16) & 1)) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widen(Vector256<ushort> value) =>
        System.Runtime.Intrinsics.X86.Avx512F.IsSupported
            ? System.Runtime.Intrinsics.X86.Avx512F.ConvertToVector512UInt32(value)
            : Vector512.Create(Vector256.WidenLower(value), Vector256.WidenUpper(value));
}
