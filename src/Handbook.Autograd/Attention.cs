using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Scaled dot-product attention over a packed row (Vaswani et al. 2017, arXiv:1706.03762): softmax(scale * q·k) v, where a token
/// sees the tokens before it and itself inside its segment, all of its segment's prefix chain, and nothing else. Several query
/// heads may share a key/value head (grouped-query attention; Ainslie et al. 2023, arXiv:2305.13245). The softmax is float32
/// whatever the type. The backward pass recomputes the weights: only the output and one number a token and head are kept.
/// </summary>
public static unsafe partial class Attention
{
    /// <summary>Attends.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="query">[tokens, heads, headDim].</param>
    /// <param name="key">[tokens, key/value heads, headDim]; query head h reads key/value head h / (heads / key/value heads).</param>
    /// <param name="value">[tokens, key/value heads, valueDim].</param>
    /// <param name="layout">The row's segments.</param>
    /// <param name="rule">What happens to the products, and how far a token sees.</param>
    /// <param name="sinks">
    /// For each head a logit that takes part in the softmax and brings nothing, [heads] (arXiv:2508.10925); null for none.
    /// </param>
    /// <returns>[tokens, heads, valueDim].</returns>
    public static Variable Apply(
        Tape tape, Variable query, Variable key, Variable value, SequenceLayout layout, AttentionRule rule, Weight? sinks = null)
    {
        Check(query.Value, key.Value, value.Value, layout);
        if (Fused.Applies(query.Value, key.Value, value.Value, rule))
        {
            return ApplyFused(
                tape, query, key, value, new AttentionPlan(layout, query.Value, key.Value, rule.Scale, rule.Window ?? int.MaxValue), sinks);
        }
        var mask = AttentionDropout.Take(tape.Random, rule.Dropout, query.Value, layout);
        using var logits = sinks?.Lease();
        var output = PlainForward(query.Value, key.Value, value.Value, layout, rule, mask, logits?.Value);
        return tape.Record(output, [query, key, value], [query.Value, key.Value, value.Value], (gradient, saved) =>
        {
            using var again = sinks?.Lease();
            var (forQuery, forKey, forValue, forSinks) =
                PlainBackward(gradient, saved[0], saved[1], saved[2], layout, rule, mask, again?.Value);
            Accumulate((forQuery, forKey, forValue), query, key, value);
            if (forSinks is not null)
                sinks!.Gradient?.Add(forSinks);
        }, [sinks]);
    }

    private static Variable ApplyFused(
        Tape tape, Variable query, Variable key, Variable value, AttentionPlan plan, Weight? sinks)
    {
        var (output, logSumExp) = Fused.Forward(plan, query.Value, key.Value, value.Value);
        if (sinks is not null)
            (output, logSumExp) = AttentionSinks.Join(output, logSumExp, sinks);
        var recorded = tape.Record(
            output, [query, key, value], [query.Value, key.Value, value.Value, output, logSumExp], (gradient, saved) =>
            {
                using var rows = gradient.To(saved[0].DType).Contiguous();
                if (sinks?.Gradient is { } sink)
                    sink.Add(AttentionSinks.Gradient(rows, saved[3], saved[4], sinks));
                Accumulate(Fused.Backward(plan, rows, saved), query, key, value);
            }, [sinks]);
        logSumExp.Dispose();
        return recorded;
    }

    private static void Accumulate((Tensor Query, Tensor Key, Tensor Value) gradients, Variable query, Variable key, Variable value)
    {
        query.Accumulate(gradients.Query);
        key.Accumulate(gradients.Key);
        value.Accumulate(gradients.Value);
    }

    /// <summary>The stretches of the row that a segment's tokens may see, in order of position; the last is its own.</summary>
    internal static List<(int Start, int Length)> KeySpans(SequenceLayout layout, int segment)
    {
        var spans = new List<(int, int)>();
        for (var i = segment; i >= 0; i = layout.Segments[i].Prefix)
            spans.Add((layout.Segments[i].Start, layout.Segments[i].Length));
        spans.Reverse();
        return spans;
    }

    private static void Check(Tensor query, Tensor key, Tensor value, SequenceLayout layout)
    {
        var tokens = layout.Length;
        if (query.DimensionCount != 3 || key.DimensionCount != 3 || value.DimensionCount != 3
            || query.Size(0) != tokens || key.Size(0) != tokens || value.Size(0) != tokens
            || key.Size(1) != value.Size(1) || query.Size(1) % key.Size(1) != 0 || query.Size(2) != key.Size(2))
            throw new ArgumentException($"Attention over {tokens} tokens: query {query}, key {key} and value {value} do not fit together.");
    }
}
