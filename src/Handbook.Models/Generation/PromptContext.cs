using Handbook.Autograd;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Generation;

/// <summary>The pass over a prompt, by itself so that nothing else changes its result: it leaves keys and values in the cache.</summary>
internal sealed class PromptContext : ForwardContext
{
    private readonly KeyValueCache cache;
    private readonly SequenceLayout layout;
    private readonly Tensor slots;

    internal PromptContext(RotarySet rotary, KeyValueCache cache, CachedSequence sequence, int length, Device device)
        : base(rotary, [.. Enumerable.Range(0, length)])
    {
        this.cache = cache;
        layout = SequenceLayout.Documents([length]);
        slots = Tensor.From(Positions.Select(position => (long)sequence.Slot(position)).ToArray(), device);
    }

    public override Variable Attend(
        Tape tape, int layer, Variable query, Variable key, Variable value, AttentionConfig config, Weight? sinks)
    {
        CachedAttention.Store(cache.Keys(layer), slots, key.Value);
        CachedAttention.Store(cache.Values(layer), slots, value.Value);
        return Attention.Apply(tape, query, key, value, layout, RuleOf(config), sinks);
    }

    private protected override (Tensor Cos, Tensor Sin) AnglesOf(RotaryTables tables) => tables.For(layout);
}
