using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Sinks around attention that knows none: a sink only adds exp(sink) to the sum that a query's weights are divided by. With the sum and
/// the output changed so, the backward pass of attention is right as it is, because it makes the weights from that sum and the output.
/// </summary>
internal static class AttentionSinks
{
    /// <summary>The output and the sum with the sinks in them; takes both over.</summary>
    /// <param name="output">[tokens, heads, width].</param>
    /// <param name="logSumExp">Base 2, [heads, tokens].</param>
    /// <param name="sinks">[heads].</param>
    internal static (Tensor Output, Tensor LogSumExp) Join(Tensor output, Tensor logSumExp, Weight sinks)
    {
        using var scope = new TensorScope();
        using (output)
        using (logSumExp)
        {
            using var logits = sinks.Lease();
            var all = Operator.Call("aten::logaddexp2"u8, default, logSumExp, InBaseTwo(logits.Value));
            var share = Operator.Call("aten::exp2"u8, default, logSumExp.Subtract(all)).Transpose(0, 1);
            var scaled = output.To(DType.Float32).Multiply(share.Reshape(output.Size(0), output.Size(1), 1));
            return (scope.Keep(scaled.To(output.DType)), scope.Keep(all.Contiguous()));
        }
    }

    /// <summary>
    /// Minus the sum over queries of the sink's weight times what the output's gradient says of all weights together, [heads].
    /// </summary>
    /// <param name="gradient">Of the output, [tokens, heads, width].</param>
    /// <param name="output">The output, sinks in it.</param>
    /// <param name="logSumExp">The sum, sinks in it, [heads, tokens].</param>
    /// <param name="sinks">[heads].</param>
    internal static Tensor Gradient(Tensor gradient, Tensor output, Tensor logSumExp, Weight sinks)
    {
        using var scope = new TensorScope();
        using var logits = sinks.Lease();
        var mean = gradient.To(DType.Float32).Multiply(output.To(DType.Float32)).Sum(-1).Transpose(0, 1);      // [heads, tokens]
        var weights = Operator.Call("aten::exp2"u8, default, InBaseTwo(logits.Value).Subtract(logSumExp));
        return scope.Keep(weights.Multiply(mean).Sum(-1).Multiply(-1).To(sinks.DType));
    }

    private static Tensor InBaseTwo(Tensor sinks) => sinks.To(DType.Float32).Multiply(1 / Math.Log(2)).View(-1, 1);
}
