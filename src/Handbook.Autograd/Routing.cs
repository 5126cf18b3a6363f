using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Choice of experts for each token, and the loss that keeps it balanced (arXiv:2101.03961, section 2.2).</summary>
public static class Routing
{
    /// <summary>
    /// The experts with the largest logits, weighed by the softmax over all of them in float32 (float64 beside float64 data), rounded to
    /// the logits' type at the end.
    /// </summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="logits">[tokens, experts].</param>
    /// <param name="count">Experts of each token.</param>
    /// <param name="normalize">True when a token's weights are divided by their sum.</param>
    /// <returns>Weights [tokens, count] with their gradient, and the experts' numbers as int64 [tokens, count],
    /// which belong to the caller.</returns>
    public static (Variable Weights, Tensor Experts) Choose(Tape tape, Variable logits, int count, bool normalize)
    {
        using var scope = new TensorScope();
        var probabilities = Softmax(logits.Value);
        var (chosen, experts) = Operator.Call2("aten::topk"u8, default, probabilities, (long)count, -1L, true, true);
        TensorScope.Detach(experts);
        var sum = normalize ? chosen.Sum(-1, keepDim: true) : null;
        var weights = scope.Keep((sum is null ? chosen : chosen.Divide(sum)).To(logits.Value.DType));
        var recorded = tape.Record(weights, [logits], [logits.Value, experts], (gradient, saved) =>
        {
            var probabilities = Softmax(saved[0]);
            var picked = Operator.Call("aten::gather"u8, default, probabilities, 1L, saved[1], false);
            var direction = gradient.To(probabilities.DType);
            if (normalize)
            {
                var total = picked.Sum(-1, keepDim: true);
                var mean = direction.Multiply(picked).Sum(-1, keepDim: true).Divide(total);
                direction = direction.Subtract(mean).Divide(total);
            }
            var zeros = Tensor.Zeros(probabilities.Shape, probabilities.DType, probabilities.Device);
            var spread = Operator.Call("aten::scatter"u8, "src"u8, zeros, 1L, saved[1], direction);
            logits.Accumulate(ThroughSoftmax(probabilities, spread).To(saved[0].DType));
        });
        return (recorded, experts);
    }

    /// <summary>
    /// experts * Σ over experts of (share of the choices that fell on it) * (its mean probability), over the tokens of all layers
    /// together, as transformers' <c>load_balancing_loss_func</c> has it: the number of a token's choices when all are used alike.
    /// </summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="logits">[tokens, experts] of each layer.</param>
    /// <param name="count">Experts of each token.</param>
    /// <returns>A scalar in float32 (float64 beside float64 data).</returns>
    public static Variable AuxLoss(Tape tape, IReadOnlyList<Variable> logits, int count)
    {
        using var scope = new TensorScope();
        var experts = logits[0].Value.Size(1);
        var tokens = logits.Sum(layer => layer.Value.Size(0));
        var all = Softmax(Operator.Call("aten::cat"u8, default, logits.Select(layer => layer.Value).ToArray(), 0L));
        var (_, chosen) = Operator.Call2("aten::topk"u8, default, all, (long)count, -1L, true, true);
        var ones = Tensor.Full(chosen.Shape, 1, all.DType, all.Device);
        var hits = Operator.Call("aten::scatter"u8, "src"u8, Tensor.Zeros(all.Shape, all.DType, all.Device), 1L, chosen, ones);
        var shares = hits.Sum(0).Multiply((double)experts / tokens);
        var value = scope.Keep(all.Sum(0).Multiply(shares).Sum().Multiply(1.0 / tokens));
        var inputs = logits.ToArray();
        return tape.Record(value, inputs, [shares, .. inputs.Select(layer => layer.Value)], (gradient, saved) =>
        {
            var direction = saved[0].Multiply(gradient).Multiply(1.0 / tokens).View(1, experts);
            for (var i = 0; i < inputs.Length; i++)
                inputs[i].Accumulate(ThroughSoftmax(Softmax(saved[i + 1]), direction).To(saved[i + 1].DType));
        });
    }

    private static Tensor Softmax(Tensor logits) =>
        Operator.Call("aten::_softmax"u8, default, logits.To(Shapes.SumType(logits)), -1L, false);

    private static Tensor ThroughSoftmax(Tensor probabilities, Tensor direction)
    {
        var weighted = probabilities.Multiply(direction);
        return weighted.Subtract(probabilities.Multiply(weighted.Sum(-1, keepDim: true)));
    }
}
