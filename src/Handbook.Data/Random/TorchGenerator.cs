namespace Handbook.Data.Random;

/// <summary>PyTorch's CPU generator as far as samplers use it; equal to <c>torch.Generator().manual_seed(seed)</c>.</summary>
public sealed class TorchGenerator
{
    /// <summary>From this count on PyTorch draws 64 bits for each step of a permutation (2^32 / 20).</summary>
    private const uint WidePermutation = uint.MaxValue / 20;
    private readonly MersenneTwister bits;

    /// <summary>Seeds by the low 32 bits of the seed, as PyTorch's mt19937 does.</summary>
    public TorchGenerator(ulong seed) => bits = new MersenneTwister((uint)seed);

    /// <summary>The next 32 bits.</summary>
    public uint NextUInt32() => bits.NextUInt32();

    /// <summary>The next 64 bits: the first draw is the high half.</summary>
    public ulong NextUInt64()
    {
        var high = (ulong)bits.NextUInt32() << 32;
        return high | bits.NextUInt32();
    }

    /// <summary><c>torch.empty((), dtype=torch.int64).random_()</c>: the 63 bits that seed a sampler of its own.</summary>
    public long NextSeed() => (long)(NextUInt64() & long.MaxValue);

    /// <summary><c>torch.randperm(count, generator=self)</c>.</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
            order[i] = i;
        for (var i = 0; i < count - 1; i++)
        {
            var rest = (uint)(count - i);
            var j = i + (int)(count < WidePermutation ? NextUInt32() % rest : (uint)(NextUInt64() % rest));
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
