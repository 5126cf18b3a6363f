using System.Numerics;

namespace Handbook.Data.Random;

/// <summary>
/// NumPy's <c>SeedSequence</c>: turns an integer seed into well mixed words (O'Neill's seed_seq_fe with a pool of four).
/// </summary>
public sealed class SeedSequence
{
    private const int PoolSize = 4;
    private readonly uint[] pool = new uint[PoolSize];

    /// <summary>Mixes a seed of any size that is not negative.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The seed is negative, which NumPy refuses too.</exception>
    public SeedSequence(BigInteger seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(seed);
        var entropy = Words(seed);
        var constant = 0x43b0d7e5u;
        for (var i = 0; i < PoolSize; i++)
            pool[i] = Hash(i < entropy.Count ? entropy[i] : 0, ref constant);
        for (var source = 0; source < PoolSize; source++)
        {
            for (var target = 0; target < PoolSize; target++)
            {
                if (source != target)
                    pool[target] = Mix(pool[target], Hash(pool[source], ref constant));
            }
        }
        for (var source = PoolSize; source < entropy.Count; source++)
        {
            for (var target = 0; target < PoolSize; target++)
                pool[target] = Mix(pool[target], Hash(entropy[source], ref constant));
        }
    }

    /// <summary><c>generate_state(count, uint32)</c>.</summary>
    public uint[] GenerateUInt32(int count)
    {
        var state = new uint[count];
        var constant = 0x8b51f9ddu;
        for (var i = 0; i < count; i++)
        {
            var word = pool[i % PoolSize] ^ constant;
            constant *= 0x58f38ded;
            word *= constant;
            state[i] = word ^ (word >> 16);
        }
        return state;
    }

    /// <summary><c>generate_state(count, uint64)</c>: pairs of words, the low one first.</summary>
    public ulong[] GenerateUInt64(int count)
    {
        var words = GenerateUInt32(2 * count);
        var state = new ulong[count];
        for (var i = 0; i < count; i++)
            state[i] = words[2 * i] | ((ulong)words[2 * i + 1] << 32);
        return state;
    }

    /// <summary>The 32-bit words of a number, lowest first; one zero word for zero.</summary>
    internal static List<uint> Words(BigInteger number)
    {
        var words = new List<uint>();
        do
        {
            words.Add((uint)(number & uint.MaxValue));
            number >>= 32;
        }
        while (!number.IsZero);
        return words;
    }

    private static uint Hash(uint word, ref uint constant)
    {
        word ^= constant;
        constant *= 0x931e8875;
        word *= constant;
        return word ^ (word >> 16);
    }

    private static uint Mix(uint x, uint y)
    {
        var mixed = 0xca01f9ddu * x - 0x4973f715u * y;
        return mixed ^ (mixed >> 16);
    }
}
