using System.Runtime.CompilerServices;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

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

    /// <summary>The rounded copy of a float32 tensor as bfloat16, where it is; the same elements as the fused update writes.</summary>
    internal Tensor Round(Tensor value)
    {
        if (!value.IsCpu)
            return PlainRound(value);
        using var rows = value.Contiguous();
        return FusedKernels.ForWidth(RoundAll<Lanes16>, RoundAll<Lanes8>, RoundAll<Lanes4>)(rows);
    }

    /// <summary>The definition, in libtorch's operators: any device.</summary>
    internal Tensor PlainRound(Tensor value)
    {
        const long Word = 0xFFFFFFFF;
        using var scope = new TensorScope();
        var index = IntegerTensors.Progression(0, 1, value.ElementCount, value.Device);
        var x = index.And(Word).Xor(first).Plus(index.ShiftedRight(32).Times(0x9E3779B9)).And(Word);
        x = x.Xor(x.ShiftedRight(16)).Times(0x7FEB352D).And(Word);
        x = x.Xor(x.ShiftedRight(15)).Times(0x7FEB352D).And(Word);
        x = x.Xor(x.ShiftedRight(16)).Xor(second).Times(0x7FEB352D).And(Word);
        x = x.Xor(x.ShiftedRight(15));
        var bits = Operator.Call("aten::view"u8, "dtype"u8, value.Contiguous().View(-1), DType.Int32).To(DType.Int64).And(Word);
        var up = bits.Plus(x.ShiftedRight(16)).And(0xFFFF0000);
        using var exponent = Tensor.From<long>([0x7F800000], []);
        var isSpecial = Operator.Call("aten::eq"u8, "Tensor"u8, bits.And(0x7F800000), exponent);
        var chosen = Operator.Call("aten::where"u8, "self"u8, isSpecial, bits, up).To(DType.Int32);
        return scope.Keep(Operator.Call("aten::view"u8, "dtype"u8, chosen, DType.Float32).To(DType.BFloat16).View(value.Shape));
    }

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
