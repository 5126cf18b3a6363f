using System.Runtime.CompilerServices;
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

    /// <summary>32 random bits for each of a register of elements (the integer hash "lowbias32" of C. Wellons, keyed twice).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal V Bits<V>(long index) where V : unmanaged, ILanes<V>
    {
        var x = V.AddBits(V.IndexBits, V.CreateBits((uint)index));
        x = V.AddBits(x ^ V.CreateBits(first), V.CreateBits((uint)(index >> 32) * 0x9E3779B9u));
        x = V.MultiplyBits(x ^ V.ShiftRight(x, 16), V.CreateBits(0x7FEB352Du));
        x = V.MultiplyBits(x ^ V.ShiftRight(x, 15), V.CreateBits(0x846CA68Bu));
        x ^= V.ShiftRight(x, 16) ^ V.CreateBits(second);
        x = V.MultiplyBits(x ^ V.ShiftRight(x, 16), V.CreateBits(0x7FEB352Du));
        return x ^ V.ShiftRight(x, 15);
    }

    /// <summary>The value with its lower 16 bits gone: rounded away from zero with the probability that those bits state.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Round<V>(V value, V random) where V : unmanaged, ILanes<V>
    {
        var rounded = V.AddBits(value, V.ShiftRight(random, 16)) & V.CreateBits(0xFFFF0000u);
        // Adding to an infinity or a NaN would change its kind.
        var exponent = V.CreateBits(0x7F800000u);
        return V.Select(V.EqualBits(value & exponent, exponent), value, rounded);
    }

    /// <summary>The rounded copy of a float32 tensor in host memory as bfloat16; the same elements as the fused update writes.</summary>
    internal Tensor Round(Tensor value) => FusedKernels.ForWidth(RoundAll<Lanes16>, RoundAll<Lanes8>, RoundAll<Lanes4>)(value);

    private unsafe Tensor RoundAll<V>(Tensor value) where V : unmanaged, ILanes<V>
    {
        var result = Tensor.Empty(value.Shape, DType.BFloat16);
        var source = (float*)value.Pointer;
        var target = (ushort*)result.Pointer;
        var count = value.ElementCount;
        var buffer = stackalloc float[V.Count];
        var narrow = stackalloc ushort[V.Count];
        for (var i = 0L; i < count; i += V.Count)
        {
            var lanes = (uint)Math.Min(V.Count, count - i);
            Unsafe.CopyBlock(buffer, source + i, lanes * sizeof(float));
            BFloat16Vectors.Store(Round(V.Load(buffer), Bits<V>(i)), narrow);
            Unsafe.CopyBlock(target + i, narrow, lanes * sizeof(ushort));
        }
        return result;
    }
}
