using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// Rounding of float32 to bfloat16 up or down at random, so that the expected value is the number itself and updates smaller
/// than half a unit in the last place are not lost (Gupta et al. 2015, arXiv:1502.02551). The random bits of an element are a
/// function of seed, step, parameter and index alone.
/// </summary>
internal readonly struct StochasticRounding
{
    private readonly uint first;
    private readonly uint second;

    /// <summary>The bits of one parameter in one step.</summary>
    internal StochasticRounding(ulong seed, long step, int parameter)
    {
        var key = new RandomStream(new RandomStream(seed).Bits((ulong)step)).Bits((ulong)parameter);
        first = (uint)key;
        second = (uint)(key >> 32);
    }

    /// <summary>32 random bits for each of sixteen elements (the integer hash "lowbias32" of C. Wellons, keyed twice).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vector512<uint> Bits(long index)
    {
        var x = Vector512<uint>.Indices + Vector512.Create((uint)index);
        x = (x ^ Vector512.Create(first)) + Vector512.Create((uint)(index >> 32) * 0x9E3779B9u);
        x = (x ^ Vector512.ShiftRightLogical(x, 16)) * Vector512.Create(0x7FEB352Du);
        x = (x ^ Vector512.ShiftRightLogical(x, 15)) * Vector512.Create(0x846CA68Bu);
        x ^= Vector512.ShiftRightLogical(x, 16) ^ Vector512.Create(second);
        x = (x ^ Vector512.ShiftRightLogical(x, 16)) * Vector512.Create(0x7FEB352Du);
        return x ^ Vector512.ShiftRightLogical(x, 15);
    }

    /// <summary>The value with its lower 16 bits gone: rounded away from zero with the probability that those bits state.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Round(Vector512<float> value, Vector512<uint> random)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector512.ShiftRightLogical(random, 16) & Vector512.Create(0xFFFF0000u);
        // Adding to an infinity or a NaN would change its kind.
        var special = Vector512.Equals(bits & Vector512.Create(0x7F800000u), Vector512.Create(0x7F800000u));
        return Vector512.ConditionalSelect(special, bits, rounded).AsSingle();
    }

    /// <summary>The rounded copy of a float32 tensor in host memory as bfloat16; the same elements as the fused update writes.</summary>
    internal unsafe Tensor Round(Tensor value)
    {
        var result = Tensor.Empty(value.Shape, DType.BFloat16);
        var source = (float*)value.Pointer;
        var target = (ushort*)result.Pointer;
        var count = value.ElementCount;
        var buffer = stackalloc float[16];
        var narrow = stackalloc ushort[16];
        for (var i = 0L; i < count; i += 16)
        {
            var lanes = (uint)Math.Min(16, count - i);
            Unsafe.CopyBlock(buffer, source + i, lanes * sizeof(float));
            BFloat16Vectors.Store(Round(Vector512.Load(buffer), Bits(i)), narrow);
            Unsafe.CopyBlock(target + i, narrow, lanes * sizeof(ushort));
        }
        return result;
    }
}
