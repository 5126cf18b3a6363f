using Handbook.Autograd;
using Handbook.Models.Blocks;
using Handbook.Torch;

namespace Handbook.Models.Generation;

/// <summary>The pass over the newest token of several sequences, each of which sees its own past in the cache.</summary>
internal sealed class NextTokenContext : ForwardContext
{
    private readonly KeyValueCache cache;
    private readonly IReadOnlyList<CachedSequence> sequences;
    private readonly Tensor slots;

    internal NextTokenContext(RotaryTables tables, KeyValueCache cache, IReadOnlyList<CachedSequence> sequences)
        : this(Angles(tables, sequences), cache, sequences) { }

    private NextTokenContext((Tensor Cos, Tensor Sin) angles, KeyValueCache cache, IReadOnlyList<CachedSequence> sequences) : base(angles.Cos, angles.Sin)
    {
        this.cache = cache;
        this.sequences = sequences;
        slots = Tensor.From(sequences.Select(sequence => (long)sequence.Slot(sequence.Length)).ToArray(), angles.Cos.Device);
    }

    public override Variable Attend(Tape tape, int layer, Variable query, Variable key, Variable value, double scale)
    {
        CachedAttention.Store(cache.Keys(layer), slots, key.Value);
        CachedAttention.Store(cache.Values(layer), slots, value.Value);
        return new Variable(CachedAttention.Apply(query.Value, cache.Keys(layer), cache.Values(layer), sequences, scale));
    }

    public override Variable[] Project(Tape tape, Variable input, Variable[] weights, Variable?[] biases)
    {
        var outputs = new Variable[weights.Length];
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = new Variable(RowProduct.Apply(input.Value, weights[i].Value, biases[i]?.Value));
        return outputs;
    }

    private static (Tensor Cos, Tensor Sin) Angles(RotaryTables tables, IReadOnlyList<CachedSequence> sequences)
    {
        if (!tables.DependOnLength)
            return tables.For([.. sequences.Select(sequence => sequence.Length)]);
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
