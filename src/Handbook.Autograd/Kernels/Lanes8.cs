using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Handbook.Autograd.Kernels;

/// <summary>The 256 bits of AVX2.</summary>
internal readonly unsafe struct Lanes8 : ILanes<Lanes8>
{
    private readonly Vector256<float> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes8(Vector256<float> value) => this.value = value;

    public static int Count => 8;

    public static Lanes8 IndexBits => new(Vector256<uint>.Indices.AsSingle());

    public float this[int lane] => value[lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Create(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 CreateBits(uint bits) => new(Vector256.Create(bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 LoadHalves(ushort* source) => new(Avx2.ConvertToVector256Int32(source).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 LoadBytes(byte* source) => new(Avx2.ConvertToVector256Int32(source).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 LookUp(float* table, Lanes8 indices)
    {
        var places = indices.value.AsInt32();
        var (low, high) = (Vector256.Load(table), Vector256.Load(table + Count));
        return new(Avx.BlendVariable(
            Avx2.PermuteVar8x32(low, places), Avx2.PermuteVar8x32(high, places), Vector256.ShiftLeft(places, 28).AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Gather(float* table, Lanes8 indices) =>
        new(Avx2.GatherVector256(table, indices.value.AsInt32(), sizeof(float)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Lanes8 First, Lanes8 Second) ByTurns(Lanes8 even, Lanes8 odd)
    {
        const byte Lower = 0x20, Upper = 0x31;
        var (low, high) = (Avx.UnpackLow(even.value, odd.value), Avx.UnpackHigh(even.value, odd.value));
        return (new(Avx.Permute2x128(low, high, Lower)), new(Avx.Permute2x128(low, high, Upper)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreHalves(ushort* target) => Vector128.Narrow(value.AsUInt32().GetLower(), value.AsUInt32().GetUpper()).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(byte* target)
    {
        var halves = Vector128.Narrow(value.AsUInt32().GetLower(), value.AsUInt32().GetUpper());
        Unsafe.WriteUnaligned(target, Vector128.Narrow(halves, halves).AsUInt64().ToScalar());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator +(Lanes8 left, Lanes8 right) => new(left.value + right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator -(Lanes8 left, Lanes8 right) => new(left.value - right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator -(Lanes8 value) => new(-value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator *(Lanes8 left, Lanes8 right) => new(left.value * right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator *(Lanes8 left, float right) => new(left.value * right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator /(Lanes8 left, Lanes8 right) => new(left.value / right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator &(Lanes8 left, Lanes8 right) => new(left.value & right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator |(Lanes8 left, Lanes8 right) => new(left.value | right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator ^(Lanes8 left, Lanes8 right) => new(left.value ^ right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 MultiplyAdd(Lanes8 a, Lanes8 b, Lanes8 c) => new(Vector256.MultiplyAddEstimate(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Max(Lanes8 left, Lanes8 right) => new(Vector256.MaxNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Min(Lanes8 left, Lanes8 right) => new(Vector256.MinNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Sqrt(Lanes8 value) => new(Vector256.Sqrt(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Log2(Lanes8 value) => new(Vector256.Log2(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Fraction(Lanes8 value)
    {
        // An infinity less itself is no number: it counts as a whole one. NaN stays.
        var bounded = Vector256.MaxNative(Vector256.Create(-1e30f), Vector256.MinNative(Vector256.Create(1e30f), value.value));
        return new(bounded - Vector256.Floor(bounded));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Scale(Lanes8 value, Lanes8 exponent)
    {
        // The factor is made of its exponent bits: 0 for 2^-127 and infinity for 2^128. NaN comes in through the value.
        var whole = Vector256.Floor(
            Vector256.MaxNative(Vector256.MinNative(exponent.value, Vector256.Create(128f)), Vector256.Create(-127f)));
        var factor = Vector256.ShiftLeft(Vector256.ConvertToInt32Native(whole) + Vector256.Create(127), 23).AsSingle();
        return new(value.value * factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes8 value) => Vector256.Sum(value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Lanes8 first, Lanes8 second, Lanes8 third, Lanes8 fourth, float* target)
    {
        var low = Avx.UnpackLow(first.value, second.value) + Avx.UnpackHigh(first.value, second.value);
        var high = Avx.UnpackLow(third.value, fourth.value) + Avx.UnpackHigh(third.value, fourth.value);
        var sums = Avx.UnpackLow(low.AsDouble(), high.AsDouble()).AsSingle()
            + Avx.UnpackHigh(low.AsDouble(), high.AsDouble()).AsSingle();
        (sums.GetLower() + sums.GetUpper()).Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 GreaterThan(Lanes8 left, Lanes8 right) => new(Vector256.GreaterThan(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Equals(Lanes8 left, Lanes8 right) => new(Vector256.Equals(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyGreater(Lanes8 left, Lanes8 right) => Vector256.GreaterThanAny(left.value, right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Select(Lanes8 mask, Lanes8 ones, Lanes8 zeros) =>
        new(Vector256.ConditionalSelect(mask.value, ones.value, zeros.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 AddBits(Lanes8 left, Lanes8 right) => new((left.value.AsUInt32() + right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 SubtractBits(Lanes8 left, Lanes8 right) => new((left.value.AsUInt32() - right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 MultiplyBits(Lanes8 left, Lanes8 right) => new((left.value.AsUInt32() * right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 ShiftLeft(Lanes8 value, int bits) => new(Vector256.ShiftLeft(value.value.AsUInt32(), bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 ShiftRight(Lanes8 value, int bits) => new(Vector256.ShiftRightLogical(value.value.AsUInt32(), bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 LessThanBits(Lanes8 left, Lanes8 right) =>
        new(Vector256.LessThan(left.value.AsUInt32(), right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 EqualBits(Lanes8 left, Lanes8 right) =>
        new(Vector256.Equals(left.value.AsUInt32(), right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SumDoubles(Lanes8 low, Lanes8 high) => Vector256.Sum(low.value.AsDouble() + high.value.AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddSquares(Lanes8 value, ref Lanes8 lowSums, ref Lanes8 highSums)
    {
        var (low, high) = Vector256.Widen(value.value);
        lowSums = new(Vector256.MultiplyAddEstimate(low, low, lowSums.value.AsDouble()).AsSingle());
        highSums = new(Vector256.MultiplyAddEstimate(high, high, highSums.value.AsDouble()).AsSingle());
    }
}
