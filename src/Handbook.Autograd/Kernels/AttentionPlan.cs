using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// A row's segments cut into blocks of at most <see cref="Tile"/> tokens, and the sizes that the attention kernels
/// share. Blocks never cross a segment's end.
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

    private readonly int[] firstBlocks;

    internal AttentionPlan(SequenceLayout layout, Tensor query, Tensor key, double scale, int window)
    {
        Layout = layout;
        (Heads, KeyHeads, Width) = ((int)query.Size(1), (int)key.Size(1), (int)query.Size(2));
        (Scale, Window) = (scale, window);
        var blocks = new List<TokenBlock>();
        firstBlocks = new int[layout.Segments.Length + 1];
        for (var s = 0; s < layout.Segments.Length; s++)
        {
            firstBlocks[s] = blocks.Count;
            var segment = layout.Segments[s];
            for (var offset = 0; offset < segment.Length; offset += Tile)
                blocks.Add(new TokenBlock(s, segment.Start + offset, Math.Min(Tile, segment.Length - offset), segment.FirstPosition + offset));
        }
        firstBlocks[^1] = blocks.Count;
        Blocks = blocks.ToArray();
    }

    internal SequenceLayout Layout { get; }

    internal int Tokens => Layout.Length;

    internal int Heads { get; }

    internal int KeyHeads { get; }

    /// <summary>Query heads that share a key/value head.</summary>
    internal int Group => Heads / KeyHeads;

    /// <summary>Elements of a head.</summary>
    internal int Width { get; }

    /// <summary>Tiles that cover the width.</summary>
    internal int WidthTiles => (Width + Tile - 1) / Tile;

    internal double Scale { get; }

    internal int Window { get; }

    internal TokenBlock[] Blocks { get; }

    /// <summary>Elements of one block of one head in a packed operand.</summary>
    internal int PackedBlock => WidthTiles * TileSize;

    /// <summary>The blocks of a segment.</summary>
    internal (int First, int End) BlocksOf(int segment) => (firstBlocks[segment], firstBlocks[segment + 1]);

    /// <summary>True when a segment's tokens may see (part of) another segment, or are it.</summary>
    internal bool Sees(int segment, int other)
    {
        for (; segment >= 0; segment = Layout.Segments[segment].Prefix)
        {
            if (segment == other)
                return true;
        }
        return false;
    }

    /// <summary>What of a key block the tokens of a query block see, both lying on one chain.</summary>
    internal BlockSight Sight(in TokenBlock query, in TokenBlock key)
    {
        var lastQuery = query.Position + query.Count - 1;
        var lastKey = key.Position + key.Count - 1;
        if (key.Position > lastQuery || lastKey <= query.Position - (long)Window)
            return BlockSight.None;
        var whole = lastKey <= query.Position && key.Position > lastQuery - (long)Window && key.Count == Tile;
        return whole ? BlockSight.Whole : BlockSight.Part;
    }
}

/// <summary>Consecutive tokens of one segment.</summary>
/// <param name="Segment">The segment they belong to.</param>
/// <param name="Start">Row index of the first.</param>
/// <param name="Count">How many.</param>
/// <param name="Position">Position of the first in its document.</param>
internal readonly record struct TokenBlock(int Segment, int Start, int Count, int Position);

/// <summary>How much of a key block a query block sees.</summary>
internal enum BlockSight
{
    None,
    Part,
    Whole,
}
