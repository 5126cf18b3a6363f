using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>Projections y = x Wᵀ + b with the weight stored [out, in], as checkpoints store it.</summary>
public static class Linear
{
    /// <summary>One projection.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="input">[N, in].</param>
    /// <param name="weight">[out, in]; no gradient is computed for it when it wants none.</param>
    /// <param name="bias">[out] or null.</param>
    /// <returns>[N, out].</returns>
    public static Variable Apply(Tape tape, Variable input, Variable weight, Variable? bias = null)
    {
        var value = Forward(input.Value, weight.Value, bias?.Value);
        return tape.Record(value, [input, weight, bias], Saved(input, [weight]), (gradient, saved) =>
        {
            AccumulateWeight(weight, gradient, saved[0]);
            AccumulateBias(bias, gradient);
            if (input.RequiresGrad)
                input.Accumulate(gradient.MatMul(saved[1]));
        });
    }

    /// <summary>Several projections of one input, whose gradient is then summed in one place.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="input">[N, in].</param>
    /// <param name="weights">[out_i, in] each.</param>
    /// <param name="biases">[out_i] or null each; empty when there are none.</param>
    /// <returns>[N, out_i] each.</returns>
    public static Variable[] ApplyMany(Tape tape, Variable input, ReadOnlySpan<Variable> weights, ReadOnlySpan<Variable?> biases = default)
    {
        if (!biases.IsEmpty && biases.Length != weights.Length)
            throw new ArgumentException($"{biases.Length} biases for {weights.Length} weights.", nameof(biases));
        var allWeights = weights.ToArray();
        var allBiases = biases.IsEmpty ? new Variable?[weights.Length] : biases.ToArray();
        var values = new Tensor[weights.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = Forward(input.Value, allWeights[i].Value, allBiases[i]?.Value);
        return tape.Record(values, [input, .. allWeights, .. allBiases], Saved(input, allWeights), (gradients, saved) =>
        {
            Tensor? sum = null;
            for (var i = 0; i < gradients.Length; i++)
            {
                if (gradients[i] is not { } gradient)
                    continue;
                AccumulateWeight(allWeights[i], gradient, saved[0]);
                AccumulateBias(allBiases[i], gradient);
                if (!input.RequiresGrad)
                    continue;
                var term = gradient.MatMul(saved[i + 1]);
                sum = sum is null ? term : sum.Add(term);
            }
            if (sum is not null)
                input.Accumulate(sum);
        });
    }

    private static Tensor Forward(Tensor input, Tensor weight, Tensor? bias) =>
        Operator.Call("aten::linear"u8, default, input, weight, Value.Optional(bias));

    // The weights are held only where the input's gradient will need them, the input only where a weight's will.
    private static Tensor[] Saved(Variable input, ReadOnlySpan<Variable> weights)
    {
        var saved = new Tensor[weights.Length + 1];
        saved[0] = input.Value;
        for (var i = 0; i < weights.Length; i++)
            saved[i + 1] = weights[i].Value;
        return saved;
    }

    private static void AccumulateWeight(Variable weight, Tensor gradient, Tensor input)
    {
        if (weight.RequiresGrad)
            weight.Accumulate(gradient.Transpose(0, 1).MatMul(input));
    }

    private static void AccumulateBias(Variable? bias, Tensor gradient)
    {
        if (bias is { RequiresGrad: true })
            bias.Accumulate(Kernels.FusedKernels.Apply(gradient)
                ? Kernels.RowSums.Of(gradient, bias.Value.DType)
                : gradient.To(Shapes.SumType(gradient)).Sum(0).To(bias.Value.DType));
    }
}
