using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Handbook.Autograd.Kernels;

/// <summary>The 128 bits that every processor has: SSE, or NEON on ARM.</summary>
internal readonly unsafe struct Lanes4 : ILanes<Lanes4>
{
    private readonly Vector128<float> value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes4(Vector128<float> value) => this.value = value;

    public static int Count => 4;

    public static Lanes4 IndexBits => new(Vector128<uint>.Indices.AsSingle());

    public float this[int lane] => value[lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Create(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 CreateBits(uint bits) => new(Vector128.Create(bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 LoadHalves(ushort* source) =>
        new(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(source)).AsUInt16()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 LoadBytes(byte* source) =>
        new(Vector128.Create(source[0], source[1], source[2], (uint)source[3]).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 LookUp(float* table, Lanes4 indices)
    {
        var places = indices.value.AsUInt32() & Vector128.Create(15u);
        return new(Vector128.Create(table[places[0]], table[places[1]], table[places[2]], table[places[3]]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Gather(float* table, Lanes4 indices)
    {
        var places = indices.value.AsUInt32();
        return new(Vector128.Create(table[places[0]], table[places[1]], table[places[2]], table[places[3]]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Lanes4 First, Lanes4 Second) ByTurns(Lanes4 even, Lanes4 odd) =>
        (new(DwordTransposition.Low(even.value, odd.value)), new(DwordTransposition.High(even.value, odd.value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreHalves(ushort* target) =>
        Unsafe.WriteUnaligned(target, Vector128.Narrow(value.AsUInt32(), value.AsUInt32()).AsUInt64().ToScalar());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreBytes(byte* target)
    {
        var halves = Vector128.Narrow(value.AsUInt32(), value.AsUInt32());
        Unsafe.WriteUnaligned(target, Vector128.Narrow(halves, halves).AsUInt32().ToScalar());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator +(Lanes4 left, Lanes4 right) => new(left.value + right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator -(Lanes4 left, Lanes4 right) => new(left.value - right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator -(Lanes4 value) => new(-value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator *(Lanes4 left, Lanes4 right) => new(left.value * right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator *(Lanes4 left, float right) => new(left.value * right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator /(Lanes4 left, Lanes4 right) => new(left.value / right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator &(Lanes4 left, Lanes4 right) => new(left.value & right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator |(Lanes4 left, Lanes4 right) => new(left.value | right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator ^(Lanes4 left, Lanes4 right) => new(left.value ^ right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 MultiplyAdd(Lanes4 a, Lanes4 b, Lanes4 c) => new(Vector128.MultiplyAddEstimate(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Max(Lanes4 left, Lanes4 right) => new(Vector128.MaxNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Min(Lanes4 left, Lanes4 right) => new(Vector128.MinNative(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Sqrt(Lanes4 value) => new(Vector128.Sqrt(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Log2(Lanes4 value) => new(Vector128.Log2(value.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Fraction(Lanes4 value)
    {
        // An infinity less itself is no number: it counts as a whole one. NaN stays.
        var bounded = Vector128.MaxNative(Vector128.Create(-1e30f), Vector128.MinNative(Vector128.Create(1e30f), value.value));
        return new(bounded - Vector128.Floor(bounded));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Scale(Lanes4 value, Lanes4 exponent)
    {
        // The factor is made of its exponent bits: 0 for 2^-127 and infinity for 2^128. NaN comes in through the value.
        var whole = Vector128.Floor(
            Vector128.MaxNative(Vector128.MinNative(exponent.value, Vector128.Create(128f)), Vector128.Create(-127f)));
        var factor = Vector128.ShiftLeft(Vector128.ConvertToInt32Native(whole) + Vector128.Create(127), 23).AsSingle();
        return new(value.value * factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes4 value) => Vector128.Sum(value.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Lanes4 first, Lanes4 second, Lanes4 third, Lanes4 fourth, float* target)
    {
        var low = DwordTransposition.Low(first.value, second.value) + DwordTransposition.High(first.value, second.value);
        var high = DwordTransposition.Low(third.value, fourth.value) + DwordTransposition.High(third.value, fourth.value);
        (Vector128.Create(low.GetLower(), high.GetLower()) + Vector128.Create(low.GetUpper(), high.GetUpper())).Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 GreaterThan(Lanes4 left, Lanes4 right) => new(Vector128.GreaterThan(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Equals(Lanes4 left, Lanes4 right) => new(Vector128.Equals(left.value, right.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyGreater(Lanes4 left, Lanes4 right) => Vector128.GreaterThanAny(left.value, right.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Select(Lanes4 mask, Lanes4 ones, Lanes4 zeros) =>
        new(Vector128.ConditionalSelect(mask.value, ones.value, zeros.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 AddBits(Lanes4 left, Lanes4 right) => new((left.value.AsUInt32() + right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 SubtractBits(Lanes4 left, Lanes4 right) => new((left.value.AsUInt32() - right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 MultiplyBits(Lanes4 left, Lanes4 right) => new((left.value.AsUInt32() * right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 ShiftLeft(Lanes4 value, int bits) => new(Vector128.ShiftLeft(value.value.AsUInt32(), bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 ShiftRight(Lanes4 value, int bits) => new(Vector128.ShiftRightLogical(value.value.AsUInt32(), bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 LessThanBits(Lanes4 left, Lanes4 right) =>
        new(Vector128.LessThan(left.value.AsUInt32(), right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 EqualBits(Lanes4 left, Lanes4 right) =>
        new(Vector128.Equals(left.value.AsUInt32(), right.value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SumDoubles(Lanes4 low, Lanes4 high) => Vector128.Sum(low.value.AsDouble() + high.value.AsDouble());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddSquares(Lanes4 value, ref Lanes4 lowSums, ref Lanes4 highSums)
    {
        var (low, high) = Vector128.Widen(value.value);
        lowSums = new(Vector128.MultiplyAddEstimate(low, low, lowSums.value.AsDouble()).AsSingle());
        highSums = new(Vector128.MultiplyAddEstimate(high, high, highSums.value.AsDouble()).AsSingle());
    }
}
