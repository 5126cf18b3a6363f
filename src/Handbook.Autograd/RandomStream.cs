using System.Numerics;

namespace Handbook.Autograd;

/// <summary>
/// Counter-based random numbers (SplitMix64 finaliser over seed and index; Steele, Lea, Flood 2014): the n-th number depends on
/// seed and n alone, so that recomputation, any number of threads and any order give the same masks.
/// </summary>
public sealed class RandomStream
{
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

    /// <summary>64 random bits at an index.</summary>
    public ulong Bits(ulong index)
    {
        var z = BitOperations.RotateLeft(Seed, 17) * 0x9E3779B97F4A7C15UL + (index + 1) * 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1) at an index, 24 bits.</summary>
    public float Uniform(ulong index) => (Bits(index) >> 40) * (1f / (1 << 24));
}
