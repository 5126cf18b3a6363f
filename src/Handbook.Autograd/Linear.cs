using Handbook.Autograd.Kernels;
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
    public static Variable Apply(Tape tape, Variable input, Weight weight, Weight? bias = null) => ApplyMany(tape, input, [weight], [bias])[0];

    /// <summary>Several projections of one input, whose gradient is then summed in one place.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="input">[N, in].</param>
    /// <param name="weights">[out_i, in] each.</param>
    /// <param name="biases">[out_i] or null each; empty when there are none.</param>
    /// <returns>[N, out_i] each.</returns>
    public static Variable[] ApplyMany(Tape tape, Variable input, ReadOnlySpan<Weight> weights, ReadOnlySpan<Weight?> biases = default)
    {
        if (!biases.IsEmpty && biases.Length != weights.Length)
            throw new ArgumentException($"{biases.Length} biases for {weights.Length} weights.", nameof(biases));
        var allWeights = weights.ToArray();
        var allBiases = biases.IsEmpty ? new Weight?[weights.Length] : biases.ToArray();
        var values = new Tensor[weights.Length];
        for (var i = 0; i < values.Length; i++)
        {
            using var bias = allBiases[i]?.Lease();
            values[i] = allWeights[i].Multiply(input.Value, bias?.Value, Forward);
        }
        return tape.Record(
            values, [input], [input.Value], (gradients, saved) => Backward(input, saved[0], allWeights, allBiases, gradients), [.. allWeights, .. allBiases]);
    }

    /// <summary>x Wᵀ + b.</summary>
    internal static Tensor Forward(Tensor input, Tensor weight, Tensor? bias)
    {
        if (!RowProducts.Applies(input, weight))
            return input.Linear(weight, bias);
        return RowProducts.Sum([input], [RightOperand.OfTransposed(weight)], bias);
    }

    // Outputs that nothing used have no gradient.
    private static void Backward(Variable input, Tensor rows, Weight[] weights, Weight?[] biases, Tensor?[] outputs)
    {
        using var gradients = new ProductGradients(rows, input.RequiresGrad);
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] is not { } output)
                continue;
            weights[i].Differentiate(output, gradients);
            if (biases[i] is { Gradient: { } sink } bias)
                sink.Add(SumOfRows(output, bias.DType));
        }
        if (gradients.InputGradient() is { } gradient)
            input.Accumulate(gradient);
    }

    /// <summary>Σ gradient_i W_i.</summary>
    internal static Tensor InputGradient(List<(Tensor Gradient, Tensor Weight)> terms)
    {
        if (terms.TrueForAll(term => RowProducts.Applies(term.Gradient, term.Weight)))
            return RowProducts.Sum(terms.ConvertAll(term => term.Gradient), terms.ConvertAll(term => RightOperand.Of(term.Weight)), null);
        var sum = terms[0].Gradient.MatMul(terms[0].Weight);
        for (var i = 1; i < terms.Count; i++)
            sum = sum.Add(terms[i].Gradient.MatMul(terms[i].Weight));
        return sum;
    }

    /// <summary>Adds gradientᵀ · input to a sum [out, in] in float32 (float64 beside float64 data).</summary>
    internal static void AddWeightGradient(Tensor sum, Tensor gradient, Tensor input)
    {
        if (!RowProducts.Applies(gradient) || !RowProducts.Applies(input) || gradient.Size(1) % 2 != 0 || input.Size(1) % 2 != 0)
        {
            sum.AddInPlace(gradient.Transpose(0, 1).MatMul(input));
            return;
        }
        using var rows = new InterleavedRows(input);
        TokenSums.AddTo(sum, gradient, rows);
    }

    private static Tensor SumOfRows(Tensor gradient, DType result) =>
        KernelTable.Runs(Operation.GradientSum, gradient) ? RowSums.Of(gradient, result) : gradient.To(Shapes.SumType(gradient)).Sum(0).To(result);
}
