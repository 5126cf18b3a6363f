using Handbook.Autograd;
using Handbook.Models.Blocks;
using Handbook.Torch;

namespace Handbook.Models.Generation;

/// <summary>The pass over a prompt, by itself so that nothing else changes its result: it leaves keys and values in the cache.</summary>
internal sealed class PromptContext : ForwardContext
{
    private readonly KeyValueCache cache;
    private readonly SequenceLayout layout;
    private readonly Tensor slots;

    internal PromptContext(RotaryTables tables, KeyValueCache cache, CachedSequence sequence, int length)
        : this(tables.For(SequenceLayout.Documents([length])), cache, sequence, length) { }

    private PromptContext((Tensor Cos, Tensor Sin) angles, KeyValueCache cache, CachedSequence sequence, int length) : base(angles.Cos, angles.Sin)
    {
        this.cache = cache;
        layout = SequenceLayout.Documents([length]);
        slots = Tensor.From(Enumerable.Range(0, length).Select(position => (long)sequence.Slot(position)).ToArray(), angles.Cos.Device);
    }

    public override Variable Attend(Tape tape, int layer, Variable query, Variable key, Variable value, double scale)
    {
        CachedAttention.Store(cache.Keys(layer), slots, key.Value);
        CachedAttention.Store(cache.Values(layer), slots, value.Value);
        return Attention.Apply(tape, query, key, value, layout, scale);
    }
}
