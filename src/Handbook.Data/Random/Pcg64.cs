namespace Handbook.Data.Random;

/// <summary>
/// The PCG64 generator of NumPy (XSL-RR 128/64; M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically
/// Good Algorithms for Random Number Generation", 2014), seeded as <c>numpy.random.PCG64(seed)</c>.
/// </summary>
public sealed class Pcg64
{
    private static readonly UInt128 Multiplier = new(2549297995355413924UL, 4865540595714422341UL);
    private readonly UInt128 increment;
    private UInt128 state;
    private uint heldHalf;
    private bool holdsHalf;

    /// <summary>Seeds through a <see cref="SeedSequence"/>.</summary>
    public Pcg64(SeedSequence seed)
    {
        var words = seed.GenerateUInt64(4);
        increment = (new UInt128(words[2], words[3]) << 1) | 1;
        Step();
        state += new UInt128(words[0], words[1]);
        Step();
    }

    /// <summary>The 128-bit state and increment, as <c>bit_generator.state</c> shows them.</summary>
    public (UInt128 State, UInt128 Increment) State => (state, increment);

    /// <summary>The next 64 bits.</summary>
    public ulong NextUInt64()
    {
        Step();
        return ulong.RotateRight((ulong)(state >> 64) ^ (ulong)state, (int)(state >> 122));
    }

    /// <summary>The next 32 bits: halves of one 64-bit output, the low one first.</summary>
    public uint NextUInt32()
    {
        if (holdsHalf)
        {
            holdsHalf = false;
            return heldHalf;
        }
        var both = NextUInt64();
        holdsHalf = true;
        heldHalf = (uint)(both >> 32);
        return (uint)both;
    }

    private void Step() => state = state * Multiplier + increment;
}
