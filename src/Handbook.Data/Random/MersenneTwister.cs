namespace Handbook.Data.Random;

/// <summary>
/// MT19937 (M. Matsumoto, T. Nishimura, "Mersenne Twister", 1998), the generator behind both Python's <c>random</c> and
/// PyTorch's CPU generator, which seed it differently.
/// </summary>
public sealed class MersenneTwister
{
    private const int Size = 624;
    private readonly uint[] state = new uint[Size];
    private int next = Size;

    /// <summary>Seeds by one word (PyTorch).</summary>
    public MersenneTwister(uint seed) => Fill(seed);

    /// <summary>Seeds by an array of words (Python).</summary>
    public MersenneTwister(ReadOnlySpan<uint> key)
    {
        Fill(19650218);
        var i = 1;
        var j = 0;
        for (var k = Math.Max(Size, key.Length); k > 0; k--)
        {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1664525)) + key[j] + (uint)j;
            (i, j) = (NextIndex(i), j + 1 == key.Length ? 0 : j + 1);
        }
        for (var k = Size - 1; k > 0; k--)
        {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1566083941)) - (uint)i;
            i = NextIndex(i);
        }
        state[0] = 0x80000000;
    }

    /// <summary>The next 32 bits.</summary>
    public uint NextUInt32()
    {
        if (next == Size)
            Twist();
        var word = state[next++];
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c5680;
        word ^= (word << 15) & 0xefc60000;
        return word ^ (word >> 18);
    }

    private int NextIndex(int i)
    {
        if (i + 1 < Size)
            return i + 1;
        state[0] = state[Size - 1];
        return 1;
    }

    private void Fill(uint seed)
    {
        state[0] = seed;
        for (var i = 1; i < Size; i++)
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >> 30)) + (uint)i;
    }

    private void Twist()
    {
        for (var i = 0; i < Size; i++)
        {
            var word = (state[i] & 0x80000000) | (state[(i + 1) % Size] & 0x7fffffff);
            state[i] = state[(i + 397) % Size] ^ (word >> 1) ^ ((word & 1) == 0 ? 0 : 0x9908b0df);
        }
        next = 0;
    }
}
