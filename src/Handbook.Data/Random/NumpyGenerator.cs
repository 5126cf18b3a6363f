using System.Numerics;

namespace Handbook.Data.Random;

/// <summary>
/// <c>numpy.random.default_rng(seed)</c>, draw for draw, as far as the datasets library uses it: <c>permutation</c> (its
/// shuffles and splits) and <c>choice</c> (interleaving by probability, stratified splits).
/// </summary>
public sealed class NumpyGenerator
{
    private readonly Pcg64 bits;

    /// <summary>Seeds the generator; the seed must not be negative.</summary>
    public NumpyGenerator(BigInteger seed) => bits = new Pcg64(new SeedSequence(seed));

    /// <summary>A uniform number in [0, 1) of 53 bits.</summary>
    public double NextDouble() => (bits.NextUInt64() >> 11) * (1.0 / 9007199254740992.0);

    /// <summary><c>permutation(count)</c>: the indices 0 .. count-1 in random order.</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
            order[i] = i;
        Shuffle(order);
        return order;
    }

    /// <summary><c>shuffle(values)</c>, in place; <c>permutation(values)</c> is a shuffled copy.</summary>
    public void Shuffle(Span<int> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = (int)Interval((uint)i);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary><c>integers(0, bound)</c> (Lemire's method, "Fast Random Integer Generation in an Interval", 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is 0.</exception>
    public ulong Integer(ulong bound)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bound);
        return bound switch
        {
            1 => 0,
            <= uint.MaxValue => Below((uint)bound),
            1UL << 32 => bits.NextUInt32(),
            _ => Below(bound),
        };
    }

    /// <summary><c>choice(probabilities.Length, size=count, p=probabilities)</c>: indices drawn with replacement.</summary>
    public int[] Choice(ReadOnlySpan<double> probabilities, int count)
    {
        var cumulative = new double[probabilities.Length];
        var sum = 0.0;
        for (var i = 0; i < cumulative.Length; i++)
            cumulative[i] = sum += probabilities[i];
        for (var i = 0; i < cumulative.Length; i++)
            cumulative[i] /= sum;
        var drawn = new int[count];
        for (var i = 0; i < count; i++)
        {
            var uniform = NextDouble();
            var index = 0;
            while (index < cumulative.Length - 1 && cumulative[index] <= uniform)
                index++;
            drawn[i] = index;
        }
        return drawn;
    }

    /// <summary><c>choice(values, size=count, replace=False)</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More are asked for than there are.</exception>
    public int[] ChoiceWithoutReplacement(ReadOnlySpan<int> values, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, values.Length);
        var indices = values.Length > 10000 && count > values.Length / 50
            ? TailOfShuffle(values.Length, count)
            : FloydSample(values.Length, count);
        var chosen = new int[count];
        for (var i = 0; i < count; i++)
            chosen[i] = values[indices[i]];
        return chosen;
    }

    private int[] TailOfShuffle(int population, int count)
    {
        var order = new int[population];
        for (var i = 0; i < population; i++)
            order[i] = i;
        ShuffleByIntegers(order, Math.Max(population - count, 1));
        return order[(population - count)..];
    }

    /// <summary>Floyd's sampling (Bentley and Floyd, "Programming pearls: a sample of brilliance", 1987), then a shuffle.</summary>
    private int[] FloydSample(int population, int count)
    {
        var chosen = new int[count];
        var seen = new HashSet<int>(count);
        for (var j = population - count; j < population; j++)
        {
            var value = (int)Integer((ulong)j + 1);
            if (!seen.Add(value))
            {
                value = j;
                seen.Add(value);
            }
            chosen[j - population + count] = value;
        }
        ShuffleByIntegers(chosen, 1);
        return chosen;
    }

    private void ShuffleByIntegers(Span<int> values, int first)
    {
        for (var i = values.Length - 1; i >= first; i--)
        {
            var j = (int)Integer((ulong)i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary>A number in [0, max] by masking to the next power of two and rejecting what is above.</summary>
    private uint Interval(uint max)
    {
        var mask = uint.MaxValue >> BitOperations.LeadingZeroCount(max);
        uint value;
        do value = bits.NextUInt32() & mask;
        while (value > max);
        return value;
    }

    private uint Below(uint bound)
    {
        var product = (ulong)bits.NextUInt32() * bound;
        if ((uint)product < bound)
        {
            var threshold = (0u - bound) % bound;
            while ((uint)product < threshold)
                product = (ulong)bits.NextUInt32() * bound;
        }
        return (uint)(product >> 32);
    }

    private ulong Below(ulong bound)
    {
        var high = Math.BigMul(bits.NextUInt64(), bound, out var low);
        if (low < bound)
        {
            var threshold = (0ul - bound) % bound;
            while (low < threshold)
                high = Math.BigMul(bits.NextUInt64(), bound, out low);
        }
        return high;
    }
}
