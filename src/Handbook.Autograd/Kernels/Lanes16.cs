using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Handbook.Autograd.Kernels;

/// <summary>The 512 bits of AVX-512 (F, BW, DQ and VL).</summary>
internal readonly unsafe struct Lanes16 : ILanes<Lanes16>
{
    private const byte FloorWithoutException = 9;

    private readonly Vector512<float> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes16(Vector512<float> value) => this.value = value;

    public static int Count => 16;

    public static Lanes16 IndexBits => new(Vector512<uint>.Indices.AsSingle());

    public float this[int lane] => value[lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 CreateBits(uint bits) => new(Vector512.Create(bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 LoadHalves(ushort* source) => new(Avx512F.ConvertToVector512UInt32(Vector256.Load(source)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 LoadBytes(byte* source) => new(Avx512F.ConvertToVector512UInt32(Vector128.Load(source)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 LookUp(float* table, Lanes16 indices) =>
        new(Avx512F.PermuteVar16x32(Vector512.Load(table), indices.value.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Gather(float* table, Lanes16 indices)
    {
        var places = indices.value.AsInt32();
        return new(Vector512.Create(Avx2.GatherVector256(table, places.GetLower(), sizeof(float)),
            Avx2.GatherVector256(table, places.GetUpper(), sizeof(float))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Lanes16 First, Lanes16 Second) ByTurns(Lanes16 even, Lanes16 odd)
    {
        var first = Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        return (new(Avx512F.PermuteVar16x32x2(even.value, first, odd.value)),
            new(Avx512F.PermuteVar16x32x2(even.value, first + Vector512.Create(8), odd.value)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreHalves(ushort* target) => Avx512F.ConvertToVector256UInt16(value.AsUInt32()).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(byte* target) => Avx512F.ConvertToVector128Byte(value.AsUInt32()).Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator +(Lanes16 left, Lanes16 right) => new(left.value + right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator -(Lanes16 left, Lanes16 right) => new(left.value - right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator -(Lanes16 value) => new(-value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator *(Lanes16 left, Lanes16 right) => new(left.value * right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator *(Lanes16 left, float right) => new(left.value * right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator /(Lanes16 left, Lanes16 right) => new(left.value / right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator &(Lanes16 left, Lanes16 right) => new(left.value & right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator |(Lanes16 left, Lanes16 right) => new(left.value | right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator ^(Lanes16 left, Lanes16 right) => new(left.value ^ right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 MultiplyAdd(Lanes16 a, Lanes16 b, Lanes16 c) => new(Vector512.FusedMultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Max(Lanes16 left, Lanes16 right) => new(Avx512F.Max(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Min(Lanes16 left, Lanes16 right) => new(Avx512F.Min(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Sqrt(Lanes16 value) => new(Vector512.Sqrt(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Log2(Lanes16 value) => new(Vector512.Log2(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Fraction(Lanes16 value) => new(Avx512DQ.Reduce(value.value, FloorWithoutException));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Scale(Lanes16 value, Lanes16 exponent) => new(Avx512F.Scale(value.value, exponent.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes16 value) => Vector512.Sum(value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Lanes16 first, Lanes16 second, Lanes16 third, Lanes16 fourth, float* target)
    {
        var low = Avx512F.UnpackLow(first.value, second.value) + Avx512F.UnpackHigh(first.value, second.value);
        var high = Avx512F.UnpackLow(third.value, fourth.value) + Avx512F.UnpackHigh(third.value, fourth.value);
        var sums = Avx512F.UnpackLow(low.AsDouble(), high.AsDouble()).AsSingle()
            + Avx512F.UnpackHigh(low.AsDouble(), high.AsDouble()).AsSingle();
        var halves = sums.GetLower() + sums.GetUpper();
        (halves.GetLower() + halves.GetUpper()).Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 GreaterThan(Lanes16 left, Lanes16 right) => new(Vector512.GreaterThan(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Equals(Lanes16 left, Lanes16 right) => new(Vector512.Equals(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyGreater(Lanes16 left, Lanes16 right) => Vector512.GreaterThanAny(left.value, right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Select(Lanes16 mask, Lanes16 ones, Lanes16 zeros) =>
        new(Vector512.ConditionalSelect(mask.value, ones.value, zeros.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 AddBits(Lanes16 left, Lanes16 right) => new((left.value.AsUInt32() + right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 SubtractBits(Lanes16 left, Lanes16 right) => new((left.value.AsUInt32() - right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 MultiplyBits(Lanes16 left, Lanes16 right) => new((left.value.AsUInt32() * right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 ShiftLeft(Lanes16 value, int bits) => new(Vector512.ShiftLeft(value.value.AsUInt32(), bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 ShiftRight(Lanes16 value, int bits) => new(Vector512.ShiftRightLogical(value.value.AsUInt32(), bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 LessThanBits(Lanes16 left, Lanes16 right) =>
        new(Vector512.LessThan(left.value.AsUInt32(), right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 EqualBits(Lanes16 left, Lanes16 right) =>
        new(Vector512.Equals(left.value.AsUInt32(), right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SumDoubles(Lanes16 low, Lanes16 high) => Vector512.Sum(low.value.AsDouble() + high.value.AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddSquares(Lanes16 value, ref Lanes16 lowSums, ref Lanes16 highSums)
    {
        var (low, high) = Vector512.Widen(value.value);
        lowSums = new(Vector512.FusedMultiplyAdd(low, low, lowSums.value.AsDouble()).AsSingle());
        highSums = new(Vector512.FusedMultiplyAdd(high, high, highSums.value.AsDouble()).AsSingle());
    }
}
