using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Models.Blocks;
using Handbook.Models.Configuration;
using Handbook.Torch;

namespace Handbook.Models.Generation;

/// <summary>The pass over the newest token of several sequences, each of which sees its own past in the cache.</summary>
internal sealed class NextTokenContext : ForwardContext
{
    private readonly KeyValueCache cache;
    private readonly IReadOnlyList<CachedSequence> sequences;
    private readonly Tensor slots;

    internal NextTokenContext(RotarySet rotary, KeyValueCache cache, IReadOnlyList<CachedSequence> sequences, Device device)
        : base(rotary, [.. sequences.Select(sequence => sequence.Length)])
    {
        this.cache = cache;
        this.sequences = sequences;
        slots = Tensor.From(sequences.Select(sequence => (long)sequence.Slot(sequence.Length)).ToArray(), device);
    }

    public override Variable Attend(
        Tape tape, int layer, Variable query, Variable key, Variable value, AttentionConfig config, Weight? sinks)
    {
        CachedAttention.Store(cache.Keys(layer), slots, key.Value);
        CachedAttention.Store(cache.Values(layer), slots, value.Value);
        using var logits = sinks?.Lease();
        return new Variable(CachedAttention.Apply(
            query.Value, cache.Keys(layer), cache.Values(layer), sequences, RuleOf(config), logits?.Value));
    }

    public override Variable[] Project(Tape tape, Variable input, Weight[] weights, Weight?[] biases)
    {
        if (weights.Length > 1 && Array.TrueForAll(weights, weight => weight is Parameter))
            return ProjectTogether(input.Value, weights, biases);
        var outputs = new Variable[weights.Length];
        for (var i = 0; i < outputs.Length; i++)
        {
            using var bias = biases[i]?.Lease();
            outputs[i] = new Variable(weights[i].Multiply(input.Value, bias?.Value, RowProduct.Sum));
        }
        return outputs;
    }

    /// <summary>Plain weights of one input: threads are called together once for all.</summary>
    private static Variable[] ProjectTogether(Tensor input, Weight[] weights, Weight?[] biases)
    {
        var leases = weights.Concat(biases.OfType<Weight>()).Select(weight => weight.Lease()).ToArray();
        var next = weights.Length;
        var products = RowProduct.Many(input, [.. leases.Take(weights.Length).Select(lease => (MatrixOperand)lease.Value)],
            [.. biases.Select(bias => bias is null ? null : leases[next++].Value)]);
        Array.ForEach(leases, lease => lease.Dispose());
        return Array.ConvertAll(products, product => new Variable(product));
    }

    // A row's result must not depend on how many others chose its expert.
    public override Variable ProjectGrouped(Tape tape, Variable rows, ExpertRows experts, Weight weights) =>
        new(weights.Multiply(rows.Value, null, (terms, _) => GroupedLinear.Join(terms, experts, RowProduct.Sum)));

    private protected override (Tensor Cos, Tensor Sin) AnglesOf(RotaryTables tables)
    {
        if (!tables.DependOnLength)
            return tables.For([.. Positions]);
        var rows = sequences.Select(sequence => tables.At(sequence.Length, sequence.Length + 1)).ToArray();
        using var scope = new TensorScope();
        var cos = Operator.Call("aten::cat"u8, default, rows.Select(row => row.Cos).ToArray(), 0L);
        var sin = Operator.Call("aten::cat"u8, default, rows.Select(row => row.Sin).ToArray(), 0L);
        foreach (var row in rows)
        {
            row.Cos.Dispose();
            row.Sin.Dispose();
        }
        return (TensorScope.Detach(cos), TensorScope.Detach(sin));
    }
}
