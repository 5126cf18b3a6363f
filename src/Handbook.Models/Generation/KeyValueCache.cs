using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Generation;

/// <summary>
/// Keys and values of the sequences that are being generated, in blocks of tokens (arXiv:2309.06180): a sequence holds blocks,
/// not a stretch, so that any finished one makes room, and several may hold the same full blocks of a common prompt.
/// </summary>
internal sealed class KeyValueCache : IDisposable
{
    internal const int BlockSize = 16;

    private readonly Tensor[] keys;
    private readonly Tensor[] values;
    private readonly Stack<int> free = new();
    private readonly int[] holders;

    /// <summary>Makes room for a number of tokens, rounded up to blocks; memory is touched when it is used.</summary>
    internal KeyValueCache(ModelConfig config, long tokens, DType dtype, Device device)
    {
        var blocks = checked((int)((tokens + BlockSize - 1) / BlockSize));
        holders = new int[blocks];
        for (var i = blocks - 1; i >= 0; i--)
            free.Push(i);
        keys = new Tensor[config.Layers.Count];
        values = new Tensor[config.Layers.Count];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = Slots(config.Layers[i].Attention);
            values[i] = Slots(config.Layers[i].Attention);
        }
        Tensor Slots(AttentionConfig attention) =>
            TensorScope.Detach(Tensor.Empty([(long)blocks * BlockSize, attention.KeyValueHeadCount, attention.HeadDim], dtype, device));
    }

    /// <summary>Blocks that nobody holds.</summary>
    internal int FreeBlocks => free.Count;

    /// <summary>Keys of a layer, [slots, key/value heads, headDim].</summary>
    internal Tensor Keys(int layer) => keys[layer];

    /// <summary>Values of a layer, same shape.</summary>
    internal Tensor Values(int layer) => values[layer];

    /// <summary>Blocks that so many tokens take.</summary>
    internal static int BlocksFor(int tokens) => (tokens + BlockSize - 1) / BlockSize;

    /// <summary>Memory of one token in all layers.</summary>
    internal static long BytesPerToken(ModelConfig config, DType dtype) =>
        config.Layers.Sum(layer => 2L * layer.Attention.KeyValueHeadCount * layer.Attention.HeadDim) * dtype.Size();

    /// <summary>Takes blocks for a new sequence of at most so many tokens.</summary>
    internal CachedSequence Allocate(int tokens)
    {
        var blocks = new int[BlocksFor(tokens)];
        for (var i = 0; i < blocks.Length; i++)
            blocks[i] = Take();
        return new CachedSequence(this, blocks);
    }

    /// <summary>A sequence that continues another: full blocks are shared, the last part is copied.</summary>
    internal CachedSequence Fork(CachedSequence source, int tokens)
    {
        var blocks = new int[BlocksFor(tokens)];
        var shared = source.Length / BlockSize;
        for (var i = 0; i < blocks.Length; i++)
        {
            blocks[i] = i < shared ? source.Blocks[i] : Take();
            if (i < shared)
                holders[blocks[i]]++;
        }
        var copy = new CachedSequence(this, blocks) { Length = source.Length };
        CopyTail(source, copy, shared * BlockSize);
        return copy;
    }

    internal void Release(int[] blocks)
    {
        foreach (var block in blocks)
        {
            if (--holders[block] == 0)
                free.Push(block);
        }
    }

    public void Dispose()
    {
        foreach (var tensor in keys.Concat(values))
            tensor.Dispose();
    }

    private int Take()
    {
        var block = free.Pop();
        holders[block] = 1;
        return block;
    }

    private void CopyTail(CachedSequence source, CachedSequence copy, int start)
    {
        var count = source.Length - start;
        if (count == 0)
            return;
        foreach (var slots in keys.Concat(values))
        {
            using var from = slots.Narrow(0, source.Slot(start), count);
            using var to = slots.Narrow(0, copy.Slot(start), count);
            to.CopyFrom(from);
        }
    }
}

/// <summary>The blocks of one sequence.</summary>
internal sealed class CachedSequence(KeyValueCache cache, int[] blocks) : IDisposable
{
    private bool released;

    internal int[] Blocks { get; } = blocks;

    /// <summary>Tokens whose keys and values are there.</summary>
    internal int Length { get; set; }

    /// <summary>Row of a token in the cache's tensors.</summary>
    internal int Slot(int position) =>
        Blocks[position / KeyValueCache.BlockSize] * KeyValueCache.BlockSize + position % KeyValueCache.BlockSize;

    public void Dispose()
    {
        if (released)
            return;
        released = true;
        cache.Release(Blocks);
    }
}
