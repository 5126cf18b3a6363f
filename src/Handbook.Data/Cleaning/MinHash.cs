using System.Numerics;
using Handbook.Data.Random;

namespace Handbook.Data.Cleaning;

/// <summary>
/// MinHash signatures (A. Broder, "On the resemblance and containment of documents", 1997): the share of equal numbers in two
/// signatures estimates the Jaccard similarity of the two sets of word runs.
/// </summary>
internal sealed class MinHash
{
    private readonly NearDuplicateOptions options;
    private readonly uint[] multipliers;
    private readonly uint[] masks;

    public MinHash(NearDuplicateOptions options)
    {
        this.options = options;
        var bits = new MersenneTwister((uint)options.Seed);
        multipliers = new uint[options.Permutations];
        masks = new uint[options.Permutations];
        for (var i = 0; i < options.Permutations; i++)
            (multipliers[i], masks[i]) = (bits.NextUInt32() | 1, bits.NextUInt32());
    }

    /// <summary>The signature of a text's words; a text shorter than a run is one run.</summary>
    public uint[] Signature(List<ulong> words)
    {
        var signature = new uint[options.Permutations];
        Array.Fill(signature, uint.MaxValue);
        if (words.Count < options.ShingleWords)
            Lower(signature, WordHashes.Whole(words));
        foreach (var run in WordHashes.Runs(words, options.ShingleWords))
            Lower(signature, run);
        return signature;
    }

    /// <summary>The estimated Jaccard similarity.</summary>
    public static double Similarity(ReadOnlySpan<uint> a, ReadOnlySpan<uint> b)
    {
        var equal = 0;
        for (var i = 0; i < a.Length; i++)
            equal += a[i] == b[i] ? 1 : 0;
        return (double)equal / a.Length;
    }

    private void Lower(uint[] signature, ulong run)
    {
        var value = (uint)(run >> 32) ^ (uint)run;
        var i = 0;
        for (var shared = new Vector<uint>(value); i <= signature.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            var hashed = (shared ^ new Vector<uint>(masks, i)) * new Vector<uint>(multipliers, i);
            // The upper half mixes into the lower, so that all bits of the order are decided by all bits of the run.
            hashed ^= hashed >> 15;
            hashed *= new Vector<uint>(0x2c1b3c6d);
            Vector.Min(new Vector<uint>(signature, i), hashed).CopyTo(signature, i);
        }
        for (; i < signature.Length; i++)
        {
            var hashed = (value ^ masks[i]) * multipliers[i];
            hashed = (hashed ^ (hashed >> 15)) * 0x2c1b3c6d;
            signature[i] = Math.Min(signature[i], hashed);
        }
    }
}
