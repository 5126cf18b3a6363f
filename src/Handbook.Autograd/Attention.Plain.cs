using Handbook.Torch;

namespace Handbook.Autograd;

// Shapes: L tokens of a segment, S tokens it sees, H query heads, K key/value heads, G = H/K, D head width.
public static unsafe partial class Attention
{
    /// <summary>The definition, in libtorch's operators: any device and type, one segment after the other.</summary>
    internal static Tensor PlainForward(
        Tensor query, Tensor key, Tensor value, SequenceLayout layout, AttentionRule rule, AttentionDropout dropout = default,
        Tensor? sinks = null)
    {
        using var scope = new TensorScope();
        var outputs = new Tensor[layout.Segments.Length];
        for (var i = 0; i < outputs.Length; i++)
        {
            using var inner = new TensorScope();
            var part = new PlainSegment(query, key, value, layout, i, rule, dropout, sinks);
            outputs[i] = inner.Keep(part.Ungroup(part.Kept(part.Weights).MatMul(part.Value)).To(query.DType));
        }
        return scope.Keep(Operator.Call("aten::cat"u8, default, outputs, 0L));
    }

    /// <summary>Gradients of the definition with respect to query, key, value and sinks.</summary>
    internal static (Tensor Query, Tensor Key, Tensor Value, Tensor? Sinks) PlainBackward(
        Tensor gradient, Tensor query, Tensor key, Tensor value, SequenceLayout layout, AttentionRule rule,
        AttentionDropout dropout = default, Tensor? sinks = null)
    {
        using var scope = new TensorScope();
        var wide = query.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var queryGradient = Tensor.Zeros(query.Shape, wide, query.Device);
        var keyGradient = Tensor.Zeros(key.Shape, wide, key.Device);
        var valueGradient = Tensor.Zeros(value.Shape, wide, value.Device);
        var sinkGradient = sinks is null ? null : Tensor.Zeros(sinks.Shape, wide, query.Device);
        for (var i = 0; i < layout.Segments.Length; i++)
        {
            using var inner = new TensorScope();
            var part = new PlainSegment(query, key, value, layout, i, rule, dropout, sinks);
            var outputGradient = part.Group(gradient);                                      // [K, G*L, D]
            var weightGradient = part.Kept(outputGradient.MatMul(part.Value.Transpose(1, 2)));  // [K, G*L, S]
            var projection = weightGradient.Multiply(part.Weights).Sum(-1, keepDim: true);
            var scoreGradient = part.BeforeCap(weightGradient.Subtract(projection).Multiply(part.Weights)).Multiply(rule.Scale);
            part.OwnRows(queryGradient).CopyFrom(part.Ungroup(scoreGradient.MatMul(part.Key)));
            part.AddToKeys(keyGradient, scoreGradient.Transpose(1, 2).MatMul(part.Query));
            sinkGradient?.AddInPlace(part.SinkWeights!.Multiply(projection).View(sinkGradient.Size(0), -1).Sum(-1).Multiply(-1));
            part.AddToKeys(valueGradient, part.Kept(part.Weights).Transpose(1, 2).MatMul(outputGradient));
        }
        return (scope.Keep(queryGradient.To(query.DType)), scope.Keep(keyGradient.To(key.DType)),
            scope.Keep(valueGradient.To(value.DType)), sinkGradient is null ? null : scope.Keep(sinkGradient.To(sinks!.DType)));
    }

    /// <summary>One segment's operands in float32 (float64 beside float64 data), and its attention weights.</summary>
    private readonly struct PlainSegment
    {
        private readonly List<(int Start, int Length)> spans;
        private readonly long keyHeads;
        private readonly Tensor? kept;      // [K, G*L, S], 0 or 1/(1 - p)
        private readonly Tensor? capSlope;  // [K, G*L, S], derivative of the capped scores

        internal PlainSegment(
            Tensor query, Tensor key, Tensor value, SequenceLayout layout, int segment, AttentionRule rule, AttentionDropout dropout,
            Tensor? sinks)
        {
            spans = KeySpans(layout, segment);
            keyHeads = key.Size(1);
            Query = Group(query);
            Key = Gather(key);
            Value = Gather(value);
            var length = spans[^1].Length;
            var seen = Key.Size(1);
            var mask = Mask(length, (int)seen, rule.Window ?? int.MaxValue, Query.DType, query.Device);
            var scores = Query.MatMul(Key.Transpose(1, 2)).Multiply(rule.Scale);            // [K, G*L, S]
            if (rule.SoftCap is { } cap)
            {
                var tanh = Operator.Call("aten::tanh"u8, default, scores.Multiply(1 / cap));
                capSlope = tanh.Multiply(tanh).Multiply(-1).Add(1);
                scores = tanh.Multiply(cap);
            }
            var masked = scores.View(keyHeads, -1, length, seen).Add(mask).View(scores.Shape);
            if (sinks is not null)
                masked = Operator.Call("aten::cat"u8, default, new[] { masked, OfEachRow(sinks, length) }, -1L);
            var weights = Operator.Call("aten::softmax"u8, "int"u8, masked, -1L, Handbook.Torch.Value.None);
            Weights = sinks is null ? weights : weights.Narrow(-1, 0, seen);
            SinkWeights = sinks is null ? null : weights.Narrow(-1, seen, 1);
            kept = dropout.Mask(Weights, layout, segment);
        }

        /// <summary>[K, G*L, D].</summary>
        internal Tensor Query { get; }

        /// <summary>[K, S, D].</summary>
        internal Tensor Key { get; }

        /// <summary>[K, S, D].</summary>
        internal Tensor Value { get; }

        /// <summary>[K, G*L, S].</summary>
        internal Tensor Weights { get; }

        /// <summary>What the sinks took, [K, G*L, 1]; null where there are none.</summary>
        internal Tensor? SinkWeights { get; }

        /// <summary>Weights, or the gradient of those that were kept, after dropout.</summary>
        internal Tensor Kept(Tensor weights) => kept is null ? weights : weights.Multiply(kept);

        /// <summary>The gradient of the scores before they were capped.</summary>
        internal Tensor BeforeCap(Tensor gradient) => capSlope is null ? gradient : gradient.Multiply(capSlope);

        /// <summary>The segment's rows of a tensor over the whole row.</summary>
        internal Tensor OwnRows(Tensor row) => row.Narrow(0, spans[^1].Start, spans[^1].Length);

        /// <summary>[tokens, H, D] to the segment's [K, G*L, D].</summary>
        internal Tensor Group(Tensor row)
        {
            var own = OwnRows(row);
            return Wide(own).Transpose(0, 1).Reshape(keyHeads, -1, own.Size(2));
        }

        /// <summary>[K, G*L, D] to [L, H, D].</summary>
        internal Tensor Ungroup(Tensor grouped) =>
            grouped.View(-1, spans[^1].Length, grouped.Size(2)).Transpose(0, 1);

        /// <summary>Adds [K, S, D] to the rows of [tokens, K, D] that the segment sees.</summary>
        internal void AddToKeys(Tensor row, Tensor contribution)
        {
            var from = 0L;
            foreach (var (start, length) in spans)
            {
                row.Narrow(0, start, length).AddInPlace(contribution.Narrow(1, from, length).Transpose(0, 1));
                from += length;
            }
        }

        /// <summary>[H] as [K, G*L, 1].</summary>
        private Tensor OfEachRow(Tensor sinks, int length) => Operator.Call(
            "aten::expand"u8, default, Wide(sinks).View(-1, 1), new[] { sinks.Size(0), (long)length }, false).Reshape(keyHeads, -1, 1);

        private Tensor Gather(Tensor row)
        {
            var parts = spans.ConvertAll(span => row.Narrow(0, span.Start, span.Length)).ToArray();
            return Wide(Operator.Call("aten::cat"u8, default, parts, 0L)).Transpose(0, 1);
        }

        private static Tensor Wide(Tensor tensor) => tensor.To(tensor.DType == DType.Float64 ? DType.Float64 : DType.Float32);

        /// <summary>0 where a token may look, minus infinity elsewhere: [L, S], the last L of S being the segment itself.</summary>
        private static Tensor Mask(int length, int seen, int window, DType dtype, Device device)
        {
            using var scope = new TensorScope();
            var own = IntegerTensors.Progression(seen - length, 1, length, device).View(length, 1);
            var others = IntegerTensors.Progression(0, 1, seen, device).View(1, seen);
            var allowed = Operator.Call("aten::le"u8, "Tensor"u8, others, own);
            if (window < seen)
                allowed = Operator.Call("aten::bitwise_and"u8, "Tensor"u8, allowed,
                    Operator.Call("aten::lt"u8, "Tensor"u8, own, IntegerTensors.Progression(window, 1, seen, device).View(1, seen)));
            return scope.Keep(Elementary.Arithmetic.Choose(allowed, Tensor.Zeros([], dtype, device),
                Tensor.Full([], double.NegativeInfinity, dtype, device)));
        }
    }
}
