using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Counter-based random numbers (SplitMix64 finaliser over seed and index; Steele, Lea, Flood 2014): the n-th number depends on
/// seed and n alone, so that recomputation, any number of threads and any order give the same masks.
/// </summary>
public sealed class RandomStream
{
    private const ulong Step = 0x9E3779B97F4A7C15UL;
    private const ulong FirstFactor = 0xBF58476D1CE4E5B9UL;
    private const ulong SecondFactor = 0x94D049BB133111EBUL;

    /// <summary>Starts a stream at position 0.</summary>
    public RandomStream(ulong seed) => Seed = seed;

    /// <summary>The seed.</summary>
    public ulong Seed { get; }

    /// <summary>Index of the next number that <see cref="Take"/> hands out.</summary>
    public ulong Position { get; set; }

    /// <summary>Reserves <paramref name="count"/> numbers and returns the index of the first.</summary>
    public ulong Take(long count)
    {
        var first = Position;
        Position += (ulong)count;
        return first;
    }

    /// <summary>The same numbers, taken from an index on.</summary>
    internal RandomStream From(ulong position) => new(Seed) { Position = position };

    /// <summary>64 random bits at an index.</summary>
    public ulong Bits(ulong index)
    {
        var z = Start(index);
        z = (z ^ (z >> 30)) * FirstFactor;
        z = (z ^ (z >> 27)) * SecondFactor;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1) at an index, 24 bits.</summary>
    public float Uniform(ulong index) => (Bits(index) >> 40) * (1f / (1 << 24));

    /// <summary>Marks uniform numbers from an index on by their 24 bits: 1 where they reach a bound, 0 below it.</summary>
    internal unsafe void MarkAtLeast(ulong first, int count, ulong bound, byte* marks)
    {
        var i = 0;
        if (FusedKernels.Lanes == 16 && Bmi2.X64.IsSupported)
        {
            var width = Vector512<ulong>.Count;
            var state = Vector512.Create(Start(first)) + Vector512<ulong>.Indices * Step;
            for (; i + width <= count; i += width, state += Vector512.Create((ulong)width * Step))
            {
                var z = (state ^ (state >>> 30)) * FirstFactor;
                z = (z ^ (z >>> 27)) * SecondFactor;
                z ^= z >>> 31;
                var reached = Vector512.GreaterThanOrEqual(z >>> 40, Vector512.Create(bound)).ExtractMostSignificantBits();
                *(ulong*)(marks + i) = Bmi2.X64.ParallelBitDeposit(reached, 0x0101010101010101UL);
            }
        }
        for (; i < count; i++)
            marks[i] = Bits(first + (ulong)i) >> 40 >= bound ? (byte)1 : (byte)0;
    }

    /// <summary>The numbers from an index on, as float32 where they are needed: the same ones on every device.</summary>
    internal unsafe Tensor Uniform(ulong first, ReadOnlySpan<long> shape, Device device)
    {
        if (device.Kind != DeviceKind.Cpu)
            return PlainUniform(first, shape, device);
        var numbers = Tensor.Empty(shape, DType.Float32);
        var target = (float*)numbers.Pointer;
        ParallelWork.For(numbers.ElementCount, FusedKernels.ElementwiseGrain, (begin, end) =>
        {
            for (var i = begin; i < end; i++)
                target[i] = Uniform(first + (ulong)i);
        });
        return numbers;
    }

    /// <summary>The definition, in libtorch's operators: any device.</summary>
    internal Tensor PlainUniform(ulong first, ReadOnlySpan<long> shape, Device device)
    {
        using var scope = new TensorScope();
        var count = 1L;
        foreach (var size in shape)
            count *= size;
        if (count == 0)
            return scope.Keep(Tensor.Empty(shape, DType.Float32, device));
        var z = IntegerTensors.Progression((long)Start(first), unchecked((long)Step), count, device);
        z = z.Xor(z.ShiftedRight(30)).Times(unchecked((long)FirstFactor));
        z = z.Xor(z.ShiftedRight(27)).Times(unchecked((long)SecondFactor));
        z = z.Xor(z.ShiftedRight(31));
        return scope.Keep(z.ShiftedRight(40).To(DType.Float32).Multiply(1.0 / (1 << 24)).View(shape));
    }

    private ulong Start(ulong index) => BitOperations.RotateLeft(Seed, 17) * Step + (index + 1) * Step;
}
