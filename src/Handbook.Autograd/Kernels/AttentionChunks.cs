namespace Handbook.Autograd.Kernels;

/// <summary>
/// The keys of a row in chunks of whole blocks: the unit of work of the backward pass. A query's gradient is a sum over the
/// chunks that it sees, each of which has its own slot, so that the sum has one order whatever thread does what.
/// </summary>
internal sealed class AttentionChunks
{
    private const int UsualBlocks = 512 / AttentionPlan.Tile;

    /// <summary>A longer document is cut into this many chunks, which bounds the memory of the slots.</summary>
    private const int MostSlots = 8;

    private readonly AttentionPlan plan;

    internal AttentionChunks(AttentionPlan plan)
    {
        this.plan = plan;
        var segments = plan.Layout.Segments.Length;
        var longest = 0;
        for (var s = 0; s < segments; s++)
            longest = Math.Max(longest, Count(plan.BlocksOf(s), 1));
        BlocksInChunk = Math.Max(UsualBlocks, (longest + MostSlots - 1) / MostSlots);
        var all = new List<(int, int, int)>();
        for (var s = 0; s < segments; s++)
        {
            var (first, end) = plan.BlocksOf(s);
            for (var block = first; block < end; block += BlocksInChunk)
                all.Add((s, block, Math.Min(end, block + BlocksInChunk)));
            SlotCount = Math.Max(SlotCount, Slots(end - 1));
        }
        All = all.ToArray();
    }

    internal int BlocksInChunk { get; }

    /// <summary>Segment, first block and end of each chunk.</summary>
    internal (int Segment, int First, int End)[] All { get; }

    /// <summary>The most chunks that a query sees.</summary>
    internal int SlotCount { get; }

    /// <summary>How many chunks the queries of a block see.</summary>
    internal int Slots(int block)
    {
        var segment = plan.Blocks[block].Segment;
        return Before(segment, segment) + (block - plan.BlocksOf(segment).First) / BlocksInChunk + 1;
    }

    /// <summary>The slot of a chunk in the gradients of a segment's queries.</summary>
    internal int Slot(int segment, in (int Segment, int First, int End) chunk) =>
        Before(segment, chunk.Segment) + (chunk.First - plan.BlocksOf(chunk.Segment).First) / BlocksInChunk;

    /// <summary>Chunks of the prefix chain of a segment that come before one of its members.</summary>
    private int Before(int segment, int member)
    {
        var count = 0;
        for (var s = plan.Layout.Segments[member].Prefix; s >= 0; s = plan.Layout.Segments[s].Prefix)
            count += Count(plan.BlocksOf(s), BlocksInChunk);
        return plan.Sees(segment, member) ? count : throw new InvalidOperationException("A chunk was asked for that the segment does not see.");
    }

    private static int Count((int First, int End) blocks, int size) => (blocks.End - blocks.First + size - 1) / size;
}
