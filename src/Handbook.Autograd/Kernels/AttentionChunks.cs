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
        var families = plan.FamilyCount;
        var longest = 0;
        for (var f = 0; f < families; f++)
            longest = Math.Max(longest, Count(plan.BlocksOf(f), 1));
        BlocksInChunk = Math.Max(UsualBlocks, (longest + MostSlots - 1) / MostSlots);
        var all = new List<(int, int, int)>();
        for (var f = 0; f < families; f++)
        {
            var (first, end) = plan.BlocksOf(f);
            for (var block = first; block < end; block += BlocksInChunk)
                all.Add((f, block, Math.Min(end, block + BlocksInChunk)));
            SlotCount = Math.Max(SlotCount, Slots(end - 1));
        }
        All = all.ToArray();
    }

    internal int BlocksInChunk { get; }

    /// <summary>Family, first block and end of each chunk.</summary>
    internal (int Family, int First, int End)[] All { get; }

    /// <summary>The most chunks that a query sees.</summary>
    internal int SlotCount { get; }

    /// <summary>How many chunks lie before the queries of a block, their own included: each has a slot, used or not.</summary>
    internal int Slots(int block)
    {
        var family = plan.Blocks[block].Family;
        return Before(family) + (block - plan.BlocksOf(family).First) / BlocksInChunk + 1;
    }

    /// <summary>The slot of a chunk in the gradients of a family's queries.</summary>
    internal int Slot(int family, in (int Family, int First, int End) chunk) =>
        (family == chunk.Family ? Before(family) : 0) + (chunk.First - plan.BlocksOf(chunk.Family).First) / BlocksInChunk;

    /// <summary>Chunks of the family in which a family's prompt stands.</summary>
    private int Before(int family) => plan.Before(family) is >= 0 and var before ? Count(plan.BlocksOf(before), BlocksInChunk) : 0;

    private static int Count((int First, int End) blocks, int size) => (blocks.End - blocks.First + size - 1) / size;
}
