using Handbook.Torch;

namespace Handbook.Autograd;

// Shapes: R labels, T of them in a chunk, C width, V vocabulary.
public static unsafe partial class LanguageModelHead
{
    /// <summary>Logits of one chunk that the plain composition holds, in elements.</summary>
    private const long PlainChunkElements = 1 << 24;

    /// <summary>
    /// The definition, in libtorch's operators: any device and type. Also the wanted gradients of sum(factor * logp);
    /// <paramref name="factors"/> [R] may be null when none is wanted.
    /// </summary>
    internal static (Tensor Logps, HeadStatistics Statistics, HeadGradients Gradients) PlainPass(
        HeadCall call, HeadGradients wanted, Tensor? factors)
    {
        using var scope = new TensorScope();
        var gradients = wanted.Allocate(call);
        var chunk = (int)Math.Max(1, PlainChunkElements / call.Weight.Size(0));
        // Logps and statistics, [chunk] each; the empty first ones are the answer to no label.
        var parts = new List<Tensor[]> { Enumerable.Range(0, 4).Select(_ => Tensor.Empty([0], call.Wide, call.Hidden.Device)).ToArray() };
        for (var start = 0; start < call.Labels.Length; start += chunk)
        {
            using var inner = new TensorScope();
            var count = Math.Min(chunk, call.Labels.Length - start);
            var part = new PlainChunk(call, start, count);
            parts.Add([.. part.Records().Select(inner.Keep)]);
            if (wanted.Any)
                part.AddGradients(gradients, factors!.Narrow(0, start, count).To(call.Wide));
        }
        var all = Enumerable.Range(0, 4)
            .Select(i => scope.Keep(Operator.Call("aten::cat"u8, default, parts.Select(part => part[i]).ToArray(), 0L))).ToArray();
        return (all[0], new HeadStatistics(all[1], all[2], all[3]), gradients.Finish(call, scope));
    }

    /// <summary>The logits of one chunk of labels and what follows from them.</summary>
    private readonly struct PlainChunk
    {
        private readonly HeadCall call;
        private readonly Tensor rows;       // [T]
        private readonly Tensor labels;     // [T, 1]
        private readonly Tensor hidden;     // [T, C]
        private readonly Tensor logits;     // [T, V], scaled and capped
        private readonly Tensor logSumExp;  // [T, 1]

        internal PlainChunk(HeadCall call, int start, int count)
        {
            this.call = call;
            var device = call.Hidden.Device;
            rows = Tensor.From(Array.ConvertAll(call.Rows[start..(start + count)], row => (long)row), device);
            labels = Tensor.From(Array.ConvertAll(call.Labels[start..(start + count)], label => (long)label), device).View(count, 1);
            hidden = call.Hidden.IndexSelect(0, rows);
            var raw = hidden.MatMul(call.Weight.Transpose(0, 1)).To(call.Wide);
            if (call.Bias is not null)
                raw = raw.Add(call.Bias.To(call.Wide));
            if (call.Options.LogitScale != 1)
                raw = raw.Multiply(call.Options.LogitScale);
            if (call.Options.SoftCap is { } cap)
                raw = Operator.Call("aten::tanh"u8, default, raw.Multiply(1 / cap)).Multiply(cap);
            logits = raw;
            logSumExp = Operator.Call("aten::logsumexp"u8, default, logits, new long[] { 1 }, true);
            Logps = Operator.Call("aten::gather"u8, default, logits, 1L, labels, false).Subtract(logSumExp).View(count);
        }

        /// <summary>[T].</summary>
        private Tensor Logps { get; }

        /// <summary>Log-probabilities, whether the label is the likeliest, mean logits and entropies, [T] each.</summary>
        internal Tensor[] Records()
        {
            var correct = Operator.Call("aten::eq"u8, "Tensor"u8, logits.ArgMax(1), labels.View(-1));
            var expected = Probabilities().Multiply(logits).Sum(1, keepDim: true);
            return
            [
                Logps, correct.To(call.Wide), logits.Sum(1).Multiply(1.0 / logits.Size(1)), logSumExp.Subtract(expected).View(-1),
            ];
        }

        internal void AddGradients(HeadGradients sums, Tensor factors)
        {
            var factor = factors.View(-1, 1);
            var gradient = Operator.Call(
                "aten::scatter_add"u8, default, Probabilities().Multiply(factor).Multiply(-1), 1L, labels, factor);
            if (call.Options.SoftCap is { } cap)
            {
                var tanh = logits.Multiply(1 / cap);
                gradient = gradient.Multiply(tanh.Multiply(tanh).Multiply(-1).Add(1));
            }
            if (call.Options.LogitScale != 1)
                gradient = gradient.Multiply(call.Options.LogitScale);
            sums.Bias?.AddInPlace(gradient.Sum(0));
            var narrow = gradient.To(call.Weight.DType);
            sums.Weight?.AddInPlace(narrow.Transpose(0, 1).MatMul(hidden).To(call.Wide));
            if (sums.Hidden is null)
                return;
            var contribution = narrow.MatMul(call.Weight).To(call.Wide);
            var target = Operator.Call("aten::expand"u8, default, rows.View(-1, 1), contribution.Shape.ToArray(), false);
            Operator.InPlace("aten::scatter_add_"u8, default, sums.Hidden, 0L, target, contribution);
        }

        private Tensor Probabilities() => Operator.Call("aten::exp"u8, default, logits.Subtract(logSumExp));
    }
}
