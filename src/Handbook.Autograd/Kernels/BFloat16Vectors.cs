using System.Runtime.CompilerServices;

namespace Handbook.Autograd.Kernels;

/// <summary>bfloat16 in SIMD registers, computed in float32.</summary>
internal static unsafe class BFloat16Vectors
{
    /// <summary>bfloat16 as float32: the bits are the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Load<V>(ushort* source) where V : unmanaged, ILanes<V> => V.ShiftLeft(V.LoadHalves(source), 16);

    /// <summary>Rounds to nearest, ties to even, and stores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store<V>(V value, ushort* target) where V : unmanaged, ILanes<V> =>
        V.ShiftRight(RoundedBits(value), 16).StoreHalves(target);

    /// <summary>Rounds to nearest, ties to even; the result is float32 with a bfloat16 value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Round<V>(V value) where V : unmanaged, ILanes<V> => RoundedBits(value) & V.CreateBits(0xFFFF0000u);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V RoundedBits<V>(V value) where V : unmanaged, ILanes<V>
    {
        var rounded = V.AddBits(V.AddBits(value, V.CreateBits(0x7FFFu)), V.ShiftRight(value, 16) & V.CreateBits(1u));
        // A NaN whose payload lies in the lower half only would round to infinity: force a payload bit that survives.
        return V.Select(V.Equals(value, value), rounded, value | V.CreateBits(0x00400000u));
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
}
