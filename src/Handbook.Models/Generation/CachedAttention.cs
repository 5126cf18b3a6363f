using System.Buffers;
using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Models.Generation;

/// <summary>Attention of one new token of each sequence over its cached keys and values: softmax(scale * q·k) v, float32 softmax.</summary>
internal static unsafe class CachedAttention
{
    /// <summary>Puts rows into the cache.</summary>
    /// <param name="cache">[slots, key/value heads, headDim].</param>
    /// <param name="slots">int64 [rows].</param>
    /// <param name="rows">[rows, key/value heads, headDim].</param>
    internal static void Store(Tensor cache, Tensor slots, Tensor rows)
    {
        using var typed = rows.To(cache.DType);
        Operator.InPlace("aten::index_copy_"u8, default, cache, 0L, slots, typed);
    }

    /// <summary>Attends; the newest token of each sequence is in the cache already.</summary>
    /// <param name="query">[sequences, heads, headDim].</param>
    /// <param name="keys">[slots, key/value heads, headDim].</param>
    /// <param name="values">[slots, key/value heads, headDim].</param>
    /// <param name="sequences">Where each one's tokens lie; the newest stands at its length.</param>
    /// <param name="rule">What happens to the products, and how far a token sees.</param>
    /// <param name="sinks">Logits of the heads' sinks, [heads]; null for none.</param>
    /// <returns>[sequences, heads, headDim] in the query's type.</returns>
    internal static Tensor Apply(
        Tensor query, Tensor keys, Tensor values, IReadOnlyList<CachedSequence> sequences, AttentionRule rule, Tensor? sinks = null)
    {
        using var scope = new TensorScope();
        sinks = sinks?.To(DType.Float32);
        return scope.Keep(KernelTable.Runs(Operation.CachedAttention, keys)
            ? FusedKernels.ForWidth(Fused<Lanes16>, Fused<Lanes8>, Fused<Lanes4>)(
                query.To(DType.Float32).Contiguous(), keys, values, sequences, rule, sinks).To(query.DType)
            : Plain(query, keys, values, sequences, rule, sinks));
    }

    private static Tensor Plain(
        Tensor query, Tensor keys, Tensor values, IReadOnlyList<CachedSequence> sequences, AttentionRule rule, Tensor? sinks)
    {
        var (heads, dim, groups) = (query.Size(1), query.Size(2), keys.Size(1));
        var outputs = new Tensor[sequences.Count];
        for (var i = 0; i < outputs.Length; i++)
        {
            var slots = Tensor.From(Enumerable.Range(First(sequences[i], rule), sequences[i].Length + 1 - First(sequences[i], rule))
                .Select(position => (long)sequences[i].Slot(position)).ToArray(), query.Device);
            var seen = keys.IndexSelect(0, slots).To(DType.Float32).Transpose(0, 1);
            var content = values.IndexSelect(0, slots).To(DType.Float32).Transpose(0, 1);
            var grouped = query.Select(0, i).To(DType.Float32).Reshape(groups, heads / groups, dim);
            var scores = grouped.MatMul(seen.Transpose(1, 2)).Multiply(rule.Scale);
            if (rule.SoftCap is { } cap)
                scores = Operator.Call("aten::tanh"u8, default, scores.Multiply(1 / cap)).Multiply(cap);
            var seenCount = scores.Size(-1);
            if (sinks is not null)
                scores = Operator.Call("aten::cat"u8, default, new[] { scores, sinks.View(groups, heads / groups, 1) }, -1L);
            var weights = Operator.Call("aten::_softmax"u8, default, scores, -1L, false).Narrow(-1, 0, seenCount);
            outputs[i] = weights.MatMul(content).Reshape(1, heads, dim);
        }
        return Operator.Call("aten::cat"u8, default, outputs, 0L).To(query.DType);
    }

    private static Tensor Fused<V>(
        Tensor query, Tensor keys, Tensor values, IReadOnlyList<CachedSequence> sequences, AttentionRule rule, Tensor? sinks)
        where V : unmanaged, ILanes<V>
    {
        var (heads, dim, groups) = ((int)query.Size(1), (int)query.Size(2), (int)keys.Size(1));
        var output = Tensor.Empty(query.Shape, DType.Float32);
        var (q, k, v, o) = ((nint)query.Pointer, (nint)keys.Pointer, (nint)values.Pointer, (nint)output.Pointer);
        var sinkData = sinks is null ? 0 : (nint)sinks.Pointer;
        var rowStride = groups * dim;
        var costliest = sequences.Max(sequence => sequence.Length + 1L) * dim * (heads / groups);
        ParallelWork.For(sequences.Count * groups, Math.Max(1, (1 << 15) / costliest), (begin, end) =>
        {
            for (var unit = begin; unit < end; unit++)
            {
                var (row, group) = ((int)(unit / groups), (int)(unit % groups));
                var perGroup = heads / groups;
                for (var head = group * perGroup; head < (group + 1) * perGroup; head++)
                {
                    var place = ((long)row * heads + head) * dim;
                    CachedHead.Attend<V>(
                        (float*)q + place, new CachedRows((float*)k + group * dim, (float*)v + group * dim, rowStride, dim), sequences[row],
                        First(sequences[row], rule), rule, sinkData == 0 ? float.NegativeInfinity : ((float*)sinkData)[head],
                        (float*)o + place);
                }
            }
        });
        return output;
    }

    /// <summary>The first position that the newest token sees.</summary>
    private static int First(CachedSequence sequence, AttentionRule rule) =>
        Math.Max(0, sequence.Length + 1 - (rule.Window ?? int.MaxValue));
}
