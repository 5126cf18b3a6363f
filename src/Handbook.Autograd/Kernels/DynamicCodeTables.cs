using System.Runtime.CompilerServices;
using Handbook.Autograd.Quantization;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// <see cref="DynamicCodes"/> in registers. A code becomes its number by the bits of a float32. A number becomes its code by a table: the
/// upper bits of a float32 in [0, 1], exponent and seven of its fraction, name a bin that holds one middle between codes at most. The bin's
/// entry has the count of middles below it, and below that count what a number's lower bits need to carry over when its own is less.
/// </summary>
internal readonly unsafe struct DynamicCodeTables
{
    private const int LowBits = 16;
    private const uint Low = (1 << LowBits) - 1;
    private const int BinCount = 1 << 12;
    private const int MantissaBits = 23;
    private const int UnitCount = 16;
    private const uint Absolute = 0x7FFFFFFF;
    private const uint OneBits = 0x3F800000;

    /// <summary>Half of 2^24: a float32 of this size counts in ones, so that a byte's bits become a number.</summary>
    private const uint CountingBits = 0x4B000000;
    private const float CountingZero = 8388608;

    /// <summary>2^-23: below every middle.</summary>
    private const float Least = 1.1920929e-7f;

    private readonly float* bins;
    private readonly float* units;
    private readonly int zero;
    private readonly float half;
    private readonly float last;

    internal DynamicCodeTables(DynamicCodes codes)
    {
        zero = codes.Zero;
        half = codes.First + 0.5f;
        last = byte.MaxValue - zero;
        // By the lower bits of an exponent as it stands in a float32.
        units = Pin([.. Enumerable.Range(0, UnitCount).Select(bits => codes.Unit((bits + 1) % UnitCount))]);
        var first = BitConverter.SingleToUInt32Bits(Least) >> LowBits;
        var entries = new float[BinCount];
        for (var bin = first; bin < first + BinCount; bin++)
            entries[bin % BinCount] = Entry(codes.Middles, bin << LowBits);
        bins = Pin(entries);
    }

    /// <summary>The numbers of a block.</summary>
    /// <param name="codes">Of the block.</param>
    /// <param name="count">How many.</param>
    /// <param name="scale">Its largest absolute value.</param>
    /// <param name="numbers">A whole block, of which the first <paramref name="count"/> are written.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Decode<V>(byte* codes, int count, float scale, float* numbers) where V : unmanaged, ILanes<V>
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
            Decode(V.LoadBytes(codes + i), scale).Store(numbers + i);
        if (i < count)
        {
            var rest = stackalloc byte[V.Count];
            Unsafe.CopyBlock(rest, codes + i, (uint)(count - i));
            Decode(V.LoadBytes(rest), scale).Store(numbers + i);
        }
    }

    /// <summary>The codes of a block; its largest absolute value is returned.</summary>
    /// <param name="numbers">A whole block; what lies behind the first <paramref name="count"/> is written over.</param>
    /// <param name="count">How many.</param>
    /// <param name="codes">Where their codes go.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal float Encode<V>(float* numbers, int count, byte* codes) where V : unmanaged, ILanes<V>
    {
        if (count < DynamicCodes.BlockSize)
            new Span<float>(numbers + count, DynamicCodes.BlockSize - count).Clear();
        var largest = Largest<V>(numbers);
        var inverse = 1 / Math.Max(largest, QuantizedMatrix.LeastScale);
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
            Encode(V.Load(numbers + i), inverse).StoreBytes(codes + i);
        if (i < count)
        {
            var rest = stackalloc byte[V.Count];
            Encode(V.Load(numbers + i), inverse).StoreBytes(rest);
            Unsafe.CopyBlock(codes + i, rest, (uint)(count - i));
        }
        return largest;
    }

    private static float Largest<V>(float* numbers) where V : unmanaged, ILanes<V>
    {
        var absolute = V.CreateBits(Absolute);
        var (most, other) = (default(V), default(V));
        for (var i = 0; i < DynamicCodes.BlockSize; i += 2 * V.Count)
        {
            most = V.Max(V.Load(numbers + i) & absolute, most);
            other = V.Max(V.Load(numbers + i + V.Count) & absolute, other);
        }
        var lanes = stackalloc float[V.Count];
        V.Max(most, other).Store(lanes);
        var four = Lanes4.Load(lanes);
        for (var lane = Lanes4.Count; lane < V.Count; lane += Lanes4.Count)
            four = Lanes4.Max(Lanes4.Load(lanes + lane), four);
        four.Store(lanes);
        return Math.Max(Math.Max(lanes[0], lanes[1]), Math.Max(lanes[2], lanes[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V Decode<V>(V codes, float scale) where V : unmanaged, ILanes<V>
    {
        var steps = (codes | V.CreateBits(CountingBits)) - V.Create(CountingZero + zero);
        var distance = steps & V.CreateBits(Absolute);
        var count = distance + V.Create(half);
        var unit = V.LookUp(units, V.ShiftRight(count, MantissaBits));
        var one = V.Create(1);
        var part = ((count & V.CreateBits((1u << MantissaBits) - 1)) | V.CreateBits(OneBits)) - one;
        var size = (part * DynamicCodes.DecadeWidth + V.Create(DynamicCodes.DecadeStart)) * unit;
        size = V.Select(V.EqualBits(distance, V.Create(last)), one, size);
        return (size | (steps & V.CreateBits(~Absolute))) * scale;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V Encode<V>(V number, float inverse) where V : unmanaged, ILanes<V>
    {
        var size = V.Max((number & V.CreateBits(Absolute)) * inverse, V.Create(Least));
        // Whatever comes, NaN too, the bin is one of the table's.
        var entry = V.Gather(bins, V.ShiftRight(size, LowBits) & V.CreateBits(BinCount - 1));
        var distance = V.ShiftRight(V.AddBits(entry, size & V.CreateBits(Low)), LowBits);
        var place = V.AddBits(distance, V.CreateBits((uint)zero));
        if (zero == 0)
            return place;
        // Below zero there is one number less, and at least one step from it.
        var steps = V.SubtractBits(V.SubtractBits(distance, V.ShiftRight(distance, 7)), V.EqualBits(distance, default));
        return V.Select(V.GreaterThan(default, number), V.SubtractBits(V.CreateBits((uint)zero), steps), place);
    }

    /// <summary>How many middles lie below a bin, and what lower bits above those of the one in it carry over with.</summary>
    private static float Entry(float[] middles, uint start)
    {
        var below = (uint)middles.Count(middle => BitConverter.SingleToUInt32Bits(middle) < start);
        var own = below < middles.Length ? BitConverter.SingleToUInt32Bits(middles[below]) : uint.MaxValue;
        return BitConverter.UInt32BitsToSingle(below << LowBits | (own >> LowBits == start >> LowBits ? Low - (own & Low) : 0));
    }

    // For the life of the process.
    private static float* Pin(float[] numbers)
    {
        var pinned = (float*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)(numbers.Length * sizeof(float)), 64);
        numbers.CopyTo(new Span<float>(pinned, numbers.Length));
        return pinned;
    }
}
