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
    /// <returns>[tokens, heads, valueDim].</returns>
    public static Variable Apply(Tape tape, Variable query, Variable key, Variable value, SequenceLayout layout, AttentionRule rule)
    {
        Check(query.Value, key.Value, value.Value, layout);
        if (Fused.Applies(query.Value, key.Value, value.Value, rule))
        {
            return ApplyFused(
                tape, query, key, value, new AttentionPlan(layout, query.Value, key.Value, rule.Scale, rule.Window ?? int.MaxValue));
        }
        var mask = AttentionDropout.Take(tape.Random, rule.Dropout, query.Value, layout);
        var output = PlainForward(query.Value, key.Value, value.Value, layout, rule, mask);
        return tape.Record(output, [query, key, value], [query.Value, key.Value, value.Value], (gradient, saved) =>
            Accumulate(PlainBackward(gradient, saved[0], saved[1], saved[2], layout, rule, mask), query, key, value));
    }

    private static Variable ApplyFused(Tape tape, Variable query, Variable key, Variable value, AttentionPlan plan)
    {
        var (output, logSumExp) = Fused.Forward(plan, query.Value, key.Value, value.Value);
        var recorded = tape.Record(
            output, [query, key, value], [query.Value, key.Value, value.Value, output, logSumExp], (gradient, saved) =>
            {
                using var rows = gradient.To(saved[0].DType).Contiguous();
                Accumulate(Fused.Backward(plan, rows, saved), query, key, value);
            });
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
