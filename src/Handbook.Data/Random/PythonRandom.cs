using System.Numerics;

namespace Handbook.Data.Random;

/// <summary>Python's <c>random.Random(seed)</c> for integer seeds, draw for draw.</summary>
public sealed class PythonRandom
{
    private readonly MersenneTwister bits;

    /// <summary>Seeds by the seed's absolute value, as CPython does.</summary>
    public PythonRandom(BigInteger seed) => bits = new MersenneTwister(SeedSequence.Words(BigInteger.Abs(seed)).ToArray());

    /// <summary><c>random()</c>: a uniform number in [0, 1) of 53 bits.</summary>
    public double NextDouble()
    {
        var high = bits.NextUInt32() >> 5;
        var low = bits.NextUInt32() >> 6;
        return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
    }

    /// <summary><c>randrange(bound)</c>, and the index that <c>choice</c> takes of a sequence of that length.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        var unused = BitOperations.LeadingZeroCount((uint)bound);
        uint value;
        do value = bits.NextUInt32() >> unused;
        while (value >= bound);
        return (int)value;
    }

    /// <summary><c>shuffle(values)</c>, in place.</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary><c>sample(range(population), count)</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More are asked for than there are.</exception>
    public int[] Sample(int population, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, population);
        var setSize = 21.0;
        if (count > 5)
            setSize += Math.Pow(4, Math.Ceiling(Math.Log(count * 3) / Math.Log(4)));
        return population <= setSize ? SampleFromPool(population, count) : SampleByRejection(population, count);
    }

    private int[] SampleFromPool(int population, int count)
    {
        var pool = new int[population];
        for (var i = 0; i < population; i++)
            pool[i] = i;
        var sample = new int[count];
        for (var i = 0; i < count; i++)
        {
            var j = Below(population - i);
            sample[i] = pool[j];
            pool[j] = pool[population - i - 1];
        }
        return sample;
    }

    private int[] SampleByRejection(int population, int count)
    {
        var seen = new HashSet<int>(count);
        var sample = new int[count];
        for (var i = 0; i < count; i++)
        {
            do sample[i] = Below(population);
            while (!seen.Add(sample[i]));
        }
        return sample;
    }
}
