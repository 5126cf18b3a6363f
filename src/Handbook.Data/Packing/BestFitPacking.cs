using System.Numerics;

namespace Handbook.Data.Packing;

/// <summary>
/// Best-fit decreasing (H. Ding et al., "Fewer Truncations Improve Language Modeling", 2024): pieces from long to short,
/// each into the row with the least space that still holds it, the oldest of several. Sorting by counting and a bit set
/// over the spaces make it linear in practice: millions of documents take a second.
/// </summary>
internal sealed class BestFitPacking
{
    private readonly int maxLength;
    private readonly int[] binOfPiece;
    private readonly List<int> binSpaces = [];
    private readonly List<int> nextBin = [];
    private readonly int[] firstBin;
    private readonly int[] lastBin;
    private readonly SpaceSet spaces;
    private readonly List<int> packedOrder;
    private int packedPieces;

    public BestFitPacking(int maxLength, int pieceCount)
    {
        this.maxLength = maxLength;
        binOfPiece = new int[pieceCount];
        packedOrder = new List<int>(pieceCount);
        firstBin = new int[maxLength + 1];
        lastBin = new int[maxLength + 1];
        spaces = new SpaceSet(maxLength + 1);
    }

    /// <summary>Packs some more pieces into rows of their own: rows begun before are closed.</summary>
    public void Pack(ReadOnlySpan<Piece> pieces)
    {
        spaces.Clear();
        Array.Fill(firstBin, -1);
        foreach (var i in FromLongToShort(pieces))
        {
            var length = pieces[i].Length;
            var bin = TakeBin(length);
            binOfPiece[packedPieces + i] = bin;
            packedOrder.Add(packedPieces + i);
            ReturnBin(bin, binSpaces[bin] - length);
        }
        packedPieces += pieces.Length;
    }

    /// <summary>The rows in the order of their beginning, their pieces in the order of their packing.</summary>
    public PackingPlan Finish(Piece[] pieces, PackingCounts counts)
    {
        var rowStarts = new int[binSpaces.Count + 1];
        foreach (var bin in binOfPiece)
            rowStarts[bin + 1]++;
        for (var bin = 0; bin < binSpaces.Count; bin++)
            rowStarts[bin + 1] += rowStarts[bin];
        var next = rowStarts.AsSpan(0, binSpaces.Count).ToArray();
        var ordered = new Piece[pieces.Length];
        foreach (var piece in packedOrder)
            ordered[next[binOfPiece[piece]]++] = pieces[piece];
        return new PackingPlan(ordered, rowStarts, counts);
    }

    /// <summary>Indices from long to short; equal lengths keep their order.</summary>
    private int[] FromLongToShort(ReadOnlySpan<Piece> pieces)
    {
        var starts = new int[maxLength + 2];
        foreach (var piece in pieces)
            starts[maxLength - piece.Length + 1]++;
        for (var i = 0; i <= maxLength; i++)
            starts[i + 1] += starts[i];
        var order = new int[pieces.Length];
        for (var i = 0; i < pieces.Length; i++)
            order[starts[maxLength - pieces[i].Length]++] = i;
        return order;
    }

    private int TakeBin(int length)
    {
        var space = spaces.NextFrom(length);
        if (space < 0)
        {
            binSpaces.Add(maxLength);
            nextBin.Add(-1);
            return binSpaces.Count - 1;
        }
        var bin = firstBin[space];
        firstBin[space] = nextBin[bin];
        if (firstBin[space] < 0)
            spaces.Remove(space);
        return bin;
    }

    private void ReturnBin(int bin, int space)
    {
        binSpaces[bin] = space;
        if (space == 0)
            return;
        nextBin[bin] = -1;
        if (firstBin[space] < 0)
        {
            firstBin[space] = bin;
            spaces.Add(space);
        }
        else
        {
            nextBin[lastBin[space]] = bin;
        }
        lastBin[space] = bin;
    }

    /// <summary>A set of small numbers that finds the next member fast: bits, and one bit for each 64 of them.</summary>
    private sealed class SpaceSet(int size)
    {
        private readonly ulong[] words = new ulong[size / 64 + 1];
        private readonly ulong[] summary = new ulong[size / 4096 + 1];

        public void Clear()
        {
            Array.Clear(words);
            Array.Clear(summary);
        }

        public void Add(int value)
        {
            words[value >> 6] |= 1UL << value;
            summary[value >> 12] |= 1UL << (value >> 6);
        }

        public void Remove(int value)
        {
            words[value >> 6] &= ~(1UL << value);
            if (words[value >> 6] == 0)
                summary[value >> 12] &= ~(1UL << (value >> 6));
        }

        /// <summary>The smallest member that is at least <paramref name="value"/>, or -1.</summary>
        public int NextFrom(int value)
        {
            var word = value >> 6;
            var rest = words[word] & (ulong.MaxValue << value);
            if (rest != 0)
                return (word << 6) + BitOperations.TrailingZeroCount(rest);
            word++;
            for (var group = word >> 6; group < summary.Length; group++)
            {
                var bits = group == word >> 6 ? summary[group] & (ulong.MaxValue << word) : summary[group];
                if (bits == 0)
                    continue;
                word = (group << 6) + BitOperations.TrailingZeroCount(bits);
                return (word << 6) + BitOperations.TrailingZeroCount(words[word]);
            }
            return -1;
        }
    }
}
