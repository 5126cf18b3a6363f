using Handbook.Torch;
using static Handbook.Autograd.Tests.GradientCheck;

namespace Handbook.Autograd.Tests;

/// <summary>Rotary embedding, attention and the head, each with an independent way to write it in libtorch's operators.</summary>
internal static class SequenceCases
{
    private static readonly SequenceLayout PromptWithTwoAnswers = new(
        new Segment(0, 3), new Segment(3, 2, 3, 0), new Segment(5, 1, 3, 0), new Segment(6, 3));

    private static readonly int[] Rows = [0, 1, 1, 4, 5];
    private static readonly int[] Labels = [3, 6, 0, 3, 2];

    internal static IEnumerable<OperationCase> All()
    {
        var (cos, sin) = RotaryEmbedding.Tables([0, 1, 2, 0, 1], [1f, 0.1f], 1.5);
        yield return new(typeof(RotaryEmbedding), nameof(RotaryEmbedding.Apply), "of a whole head", r => [Normal(r, 5, 3, 4)],
            (tape, x) => [RotaryEmbedding.Apply(tape, x[0], cos, sin)], x => [Rotated(x[0], cos, sin)]);
        yield return new(typeof(RotaryEmbedding), nameof(RotaryEmbedding.Apply), "of a part", r => [Normal(r, 5, 2, 7)],
            (tape, x) => [RotaryEmbedding.Apply(tape, x[0], cos, sin)],
            x => [Concatenate(2, Rotated(x[0].Narrow(2, 0, 4), cos, sin), x[0].Narrow(2, 4, 3))]);
        foreach (var (variant, rule) in new (string, AttentionRule)[]
        {
            ("with a shared prompt", new(0.4)), ("with a window", new(0.4) { Window = 2 }),
            ("with capped scores", new(0.4) { SoftCap = 0.7 }),
        })
        {
            yield return new(
                typeof(Attention), nameof(Attention.Apply), variant, r => [Normal(r, 9, 4, 3), Normal(r, 9, 2, 3), Normal(r, 9, 2, 3)],
                (tape, x) => [Attention.Apply(tape, x[0], x[1], x[2], PromptWithTwoAnswers, rule)], x => [Attended(x, rule)]);
        }
        yield return new(
            typeof(Attention), nameof(Attention.Apply), "with sinks",
            r => [Normal(r, 9, 4, 3), Normal(r, 9, 2, 3), Normal(r, 9, 2, 3), Normal(r, 4)],
            (tape, x) => [Attention.Apply(tape, x[0], x[1], x[2], PromptWithTwoAnswers, new AttentionRule(0.4) { Window = 4 }, x[3])],
            null);
        yield return new(
            typeof(Attention), nameof(Attention.Apply), "with dropout", r => [Normal(r, 9, 4, 3), Normal(r, 9, 2, 3), Normal(r, 9, 2, 3)],
            (tape, x) => [Attention.Apply(tape, x[0], x[1], x[2], PromptWithTwoAnswers, new AttentionRule(0.4) { Dropout = 0.3 })], null);
        float[] coefficients = [-0.5f, 0.25f, -1, 2, 0];
        foreach (var options in new[] { HeadOptions.Default, new HeadOptions(0.5, 3) })
        {
            var variant = options.SoftCap is null ? "" : "scaled, capped, with bias";
            yield return new(typeof(LanguageModelHead), nameof(LanguageModelHead.TokenLogps), variant, r => HeadInputs(r, options),
                (tape, x) => [LanguageModelHead.TokenLogps(tape, x[0], x[1], Rows, Labels, x.ElementAtOrDefault(2), options).Logps],
                x => [Logps(x, options)]);
            yield return new(typeof(LanguageModelHead), nameof(LanguageModelHead.Loss), variant, r => HeadInputs(r, options),
                (tape, x) => [LanguageModelHead.Loss(tape, x[0], x[1], Rows, Labels, coefficients, x.ElementAtOrDefault(2), options).Loss],
                x => [Logps(x, options).Multiply(Tensor.From(coefficients).To(DType.Float64)).Sum()]);
        }
    }

    private static Tensor Concatenate(long dim, params Tensor[] parts) => Operator.Call("aten::cat"u8, default, parts, dim);

    /// <summary>x * cos + rotate_half(x) * sin, as transformers writes it.</summary>
    private static Tensor Rotated(Tensor x, Tensor cos, Tensor sin)
    {
        var half = cos.Size(1);
        var turned = Concatenate(2, x.Narrow(2, half, half).Multiply(-1), x.Narrow(2, 0, half));
        Tensor Twice(Tensor table) => Concatenate(1, table, table).To(x.DType).View(table.Size(0), 1, 2 * half);
        return x.Multiply(Twice(cos)).Add(turned.Multiply(Twice(sin)));
    }

    /// <summary>libtorch's attention over the whole row with every pair of tokens allowed or forbidden one by one.</summary>
    private static Tensor Attended(Tensor[] x, AttentionRule rule)
    {
        var tokens = PromptWithTwoAnswers.Length;
        var positions = PromptWithTwoAnswers.Positions();
        var segments = PromptWithTwoAnswers.Segments.ToArray();
        var owner = Enumerable.Range(0, tokens).Select(token => Array.FindIndex(segments, segment => token < segment.End)).ToArray();
        var mask = new bool[tokens * tokens];
        for (var i = 0; i < mask.Length; i++)
        {
            var (query, key) = (i / tokens, i % tokens);
            var related = owner[query] == owner[key] || segments[owner[query]].Prefix == owner[key];
            mask[i] = related && positions[key] <= positions[query] && positions[query] - positions[key] < (rule.Window ?? int.MaxValue);
        }
        if (rule.SoftCap is { } cap)
            return Capped(x, mask, rule.Scale, cap);
        Tensor HeadsFirst(Tensor row) => row.Transpose(0, 1).View(1, row.Size(1), row.Size(0), row.Size(2));
        var attended = Operator.Call(
            "aten::scaled_dot_product_attention"u8, default, HeadsFirst(x[0].Contiguous()), HeadsFirst(x[1]), HeadsFirst(x[2]),
            Value.Some(Tensor.From<bool>(mask, [tokens, tokens])), 0.0, false, Value.Some(rule.Scale), true);
        return attended.Select(0, 0).Transpose(0, 1);
    }

    /// <summary>One query head after the other, with the cap between products and softmax.</summary>
    private static Tensor Capped(Tensor[] x, bool[] mask, double scale, double cap)
    {
        var forbidden = Tensor.From<bool>([.. mask.Select(allowed => !allowed)], [x[0].Size(0), x[0].Size(0)]);
        var groups = x[0].Size(1) / x[1].Size(1);
        var heads = Enumerable.Range(0, (int)x[0].Size(1)).Select(head =>
        {
            var (query, key, value) = (x[0].Select(1, head), x[1].Select(1, head / groups), x[2].Select(1, head / groups));
            var scores = Operator.Call("aten::tanh"u8, default, query.MatMul(key.Transpose(0, 1)).Multiply(scale / cap)).Multiply(cap);
            var seen = Operator.Call("aten::where"u8, "self"u8, forbidden, Tensor.Full([], double.NegativeInfinity, DType.Float64), scores);
            return Operator.Call("aten::_softmax"u8, default, seen, -1L, false).MatMul(value);
        });
        return Operator.Call("aten::stack"u8, default, heads.ToArray(), 1L);
    }

    private static Tensor Logps(Tensor[] x, HeadOptions options)
    {
        var logits = x[0].IndexSelect(0, Tensor.From(Array.ConvertAll(Rows, row => (long)row))).MatMul(x[1].Transpose(0, 1));
        if (x.Length > 2)
            logits = logits.Add(x[2]);
        logits = logits.Multiply(options.LogitScale);
        if (options.SoftCap is { } cap)
            logits = Operator.Call("aten::tanh"u8, default, logits.Multiply(1 / cap)).Multiply(cap);
        var all = Operator.Call("aten::log_softmax"u8, "int"u8, logits, 1L, Value.None);
        var labels = Tensor.From(Array.ConvertAll(Labels, label => (long)label)).View(-1, 1);
        return Operator.Call("aten::gather"u8, default, all, 1L, labels, false).View(-1);
    }

    private static Tensor[] HeadInputs(Random random, HeadOptions options)
    {
        Tensor[] inputs = [Normal(random, 6, 4), Normal(random, 7, 4)];
        return options.SoftCap is null ? inputs : [.. inputs, Normal(random, 7)];
    }
}
