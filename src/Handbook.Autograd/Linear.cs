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
    public static Variable Apply(Tape tape, Variable input, Variable weight, Variable? bias = null) =>
        tape.Record(Forward(input.Value, weight.Value, bias?.Value), [input, weight, bias], [input.Value, weight.Value], (gradient, saved) =>
            Backward(input, [weight], [bias], [gradient], saved));

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
        Tensor[] saved = [input.Value, .. Array.ConvertAll(allWeights, weight => weight.Value)];
        return tape.Record(values, [input, .. allWeights, .. allBiases], saved, (gradients, held) =>
            Backward(input, allWeights, allBiases, gradients, held));
    }

    /// <summary>x Wᵀ + b.</summary>
    internal static Tensor Forward(Tensor input, Tensor weight, Tensor? bias)
    {
        if (!RowProducts.Applies(input, weight))
            return input.Linear(weight, bias);
        return RowProducts.Sum([input], [RightOperand.OfTransposed(weight)], bias);
    }

    // Saved are the input and the weights; outputs that nothing used have no gradient.
    private static void Backward(Variable input, Variable[] weights, Variable?[] biases, Tensor?[] gradients, Tensor[] saved)
    {
        using var rows = new Lazily<InterleavedRows>(() => new InterleavedRows(saved[0]));
        var used = new List<(Tensor Gradient, Tensor Weight)>();
        for (var i = 0; i < gradients.Length; i++)
        {
            if (gradients[i] is not { } gradient)
                continue;
            if (weights[i].RequiresGrad)
                AccumulateWeight(weights[i], gradient, saved[0], rows);
            if (biases[i] is { RequiresGrad: true } bias)
                bias.Accumulate(SumOfRows(gradient, bias.Value.DType));
            used.Add((gradient, saved[i + 1]));
        }
        if (input.RequiresGrad)
            input.Accumulate(InputGradient(used));
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

    private static void AccumulateWeight(Variable weight, Tensor gradient, Tensor input, Lazily<InterleavedRows> rows)
    {
        if (!RowProducts.Applies(gradient, weight.Value) || !RowProducts.Applies(input))
            weight.Accumulate(gradient.Transpose(0, 1).MatMul(input));
        else if ((weight as Parameter)?.SumInSingle() is { } sum)
            TokenSums.AddTo(sum, gradient, rows.Value);
        else
            weight.Accumulate(TokenSums.Of(gradient, rows.Value));
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
        FusedKernels.Apply(gradient) ? RowSums.Of(gradient, result) : gradient.To(Shapes.SumType(gradient)).Sum(0).To(result);

    /// <summary>Made when first asked for, freed if it was.</summary>
    private sealed class Lazily<T>(Func<T> make) : IDisposable where T : class, IDisposable
    {
        private T? value;

        internal T Value => value ??= make();

        public void Dispose() => value?.Dispose();
    }
}
