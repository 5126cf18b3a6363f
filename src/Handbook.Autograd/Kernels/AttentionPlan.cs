using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// A row cut into blocks of at most <see cref="Tile"/> tokens, and the sizes that the attention kernels share. A document and
/// the answers that directly follow it are one family, whose blocks run on over its segments: short answers to a prompt then
/// share tiles. Blocks never cross a family's end.
/// </summary>
internal sealed class AttentionPlan
{
    /// <summary>
    /// Tokens in a block, and the width of a tile. Every product of both passes is one of square tiles that adds to its
    /// target: going from one kind of product to another costs the matrix unit more than the product itself.
    /// </summary>
    internal const int Tile = 64;

    /// <summary>Elements of a tile: 64 x 64 float32 scores fill a third of a first-level cache.</summary>
    internal const int TileSize = Tile * Tile;

    private readonly List<Family> families = [];
    private readonly DocumentMask documentMask;
    private readonly BlockMask[][] masks;

    internal AttentionPlan(SequenceLayout layout, Tensor query, Tensor key, double scale, int window)
    {
        (Heads, KeyHeads, Width) = ((int)query.Size(1), (int)key.Size(1), (int)query.Size(2));
        (Tokens, Scale) = (layout.Length, scale);
        documentMask = new DocumentMask(layout, window);
        var familyOf = new int[layout.Segments.Length];
        var blocks = new List<TokenBlock>();
        for (var first = 0; first < layout.Segments.Length;)
        {
            var root = Root(layout, first);
            var end = first + 1;
            while (end < layout.Segments.Length && layout.Segments[end].Prefix == root)
                end++;
            familyOf.AsSpan(first, end - first).Fill(families.Count);
            Cut(layout, first, end, blocks, root == first ? -1 : familyOf[root]);
            first = end;
        }
        Blocks = blocks.ToArray();
        masks = new BlockMask[Blocks.Length][];
        for (var block = 0; block < masks.Length; block++)
            masks[block] = MasksOf(block);
    }

    internal int Tokens { get; }

    internal int Heads { get; }

    internal int KeyHeads { get; }

    /// <summary>Query heads that share a key/value head.</summary>
    internal int Group => Heads / KeyHeads;

    /// <summary>Elements of a head.</summary>
    internal int Width { get; }

    /// <summary>Tiles that cover the width.</summary>
    internal int WidthTiles => (Width + Tile - 1) / Tile;

    internal double Scale { get; }

    internal TokenBlock[] Blocks { get; }

    /// <summary>Elements of one block of one head in a packed operand.</summary>
    internal int PackedBlock => WidthTiles * TileSize;

    internal int FamilyCount => families.Count;

    /// <summary>The blocks of a family.</summary>
    internal (int First, int End) BlocksOf(int family) => (families[family].First, families[family].End);

    /// <summary>The earlier family in which a family's prompt stands, or -1 when it is its own.</summary>
    internal int Before(int family) => families[family].Before;

    /// <summary>What of a key block of its family, or of the one before, the tokens of a query block see.</summary>
    internal BlockMask Mask(int query, int key)
    {
        var own = families[Blocks[query].Family];
        if (key > query)
            return BlockMask.Empty;
        return key >= own.First ? masks[query][key - own.First] : masks[query][query - own.First + 1 + key - families[own.Before].First];
    }

    /// <summary>True when the tokens of a query block see some key of the blocks from first up to end.</summary>
    internal bool SeesAny(int query, int first, int end)
    {
        for (var key = first; key < end; key++)
        {
            if (Mask(query, key) != BlockMask.Empty)
                return true;
        }
        return false;
    }

    /// <summary>What scores are added to: 0 where a query (lane) sees a key (row), minus infinity where it does not.</summary>
    internal unsafe void StartScores<V>(int query, int key, float* scores) where V : unmanaged, ILanes<V>
    {
        if (Mask(query, key) == BlockMask.Full)
            new Span<float>(scores, TileSize).Clear();
        else
            documentMask.Start<V>(Blocks[query], Blocks[key], scores);
    }

    /// <summary>The blocks of its family up to itself, then those of the family before.</summary>
    private BlockMask[] MasksOf(int query)
    {
        var own = families[Blocks[query].Family];
        var before = own.Before < 0 ? default : families[own.Before];
        var result = new BlockMask[query - own.First + 1 + before.End - before.First];
        for (var i = 0; i < result.Length; i++)
        {
            var key = own.First + i <= query ? own.First + i : before.First + i - (query - own.First + 1);
            result[i] = documentMask.Of(Blocks[query], Blocks[key]);
        }
        return result;
    }

    private void Cut(SequenceLayout layout, int first, int end, List<TokenBlock> blocks, int before)
    {
        var start = layout.Segments[first].Start;
        var last = layout.Segments[end - 1].End;
        var firstBlock = blocks.Count;
        for (var at = start; at < last; at += Tile)
            blocks.Add(new TokenBlock(families.Count, at, Math.Min(Tile, last - at)));
        families.Add(new Family(firstBlock, blocks.Count, before));
    }

    private static int Root(SequenceLayout layout, int segment) =>
        layout.Segments[segment].Prefix is >= 0 and var prefix ? prefix : segment;

    private readonly record struct Family(int First, int End, int Before);
}

/// <summary>Consecutive tokens of one family.</summary>
/// <param name="Family">The family they belong to.</param>
/// <param name="Start">Row index of the first.</param>
/// <param name="Count">How many.</param>
internal readonly record struct TokenBlock(int Family, int Start, int Count);

/// <summary>How much of a key block a query block sees, as FlexAttention's block masks say it.</summary>
internal enum BlockMask : byte
{
    Empty,
    Partial,
    Full,
}
