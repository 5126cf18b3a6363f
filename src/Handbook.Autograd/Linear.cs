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
    public static Variable Apply(Tape tape, Variable input, Weight weight, Weight? bias = null) =>
        ApplyMany(tape, input, [weight], [bias])[0];

    /// <summary>Several projections of one input, whose gradient is then summed in one place.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="input">[N, in].</param>
    /// <param name="weights">[out_i, in] each.</param>
    /// <param name="biases">[out_i] or null each; empty when there are none.</param>
    /// <param name="drops">Whether adapters drop elements of their input.</param>
    /// <returns>[N, out_i] each.</returns>
    public static Variable[] ApplyMany(
        Tape tape, Variable input, ReadOnlySpan<Weight> weights, ReadOnlySpan<Weight?> biases = default, bool drops = false)
    {
        if (!biases.IsEmpty && biases.Length != weights.Length)
            throw new ArgumentException($"{biases.Length} biases for {weights.Length} weights.", nameof(biases));
        var allWeights = weights.ToArray();
        var allBiases = biases.IsEmpty ? new Weight?[weights.Length] : biases.ToArray();
        var values = new Tensor[weights.Length];
        var (random, drawn) = (tape.Random, new ulong[weights.Length]);
        for (var i = 0; i < values.Length; i++)
        {
            using var bias = allBiases[i]?.Lease();
            drawn[i] = random.Position;
            values[i] = allWeights[i].Multiply(input.Value, bias?.Value, Forward, drops ? random : null);
        }
        var kept = Array.FindAll([.. Enumerable.Range(0, values.Length)], i => allWeights[i].KeepsProduct && allBiases[i] is null);
        return tape.Record(values, [input], [input.Value, .. kept.Select(i => values[i])], (outputs, saved) =>
        {
            using var gradients = new ProductGradients(saved[0], input.RequiresGrad);
            for (var i = 0; i < outputs.Length; i++)
            {
                gradients.Dropout = drops ? random.From(drawn[i]) : null;
                gradients.Kept = Array.IndexOf(kept, i) is var place and >= 0 ? saved[1 + place] : null;
                Differentiate(allWeights[i], allBiases[i], outputs[i], gradients);
            }
            if (gradients.InputGradient() is { } gradient)
                input.Accumulate(gradient);
        }, [.. allWeights, .. allBiases]);
    }

    /// <summary>scale · x W with the weight the other way round: [N, in] and [in, out] to [N, out].</summary>
    internal static Variable ApplyTransposed(Tape tape, Variable input, Weight weight, double scale)
    {
        using var scope = new TensorScope();
        using var matrix = weight.Lease();
        var value = scope.Keep(input.Value.MatMul(matrix.Value).Multiply(scale));
        return tape.Record(value, [input], [input.Value], (output, saved) =>
        {
            using var again = weight.Lease();
            var direction = output.Multiply(scale);
            if (input.RequiresGrad)
                input.Accumulate(direction.MatMul(again.Value.Transpose(0, 1)));
            weight.Gradient?.Add(saved[0].Transpose(0, 1).MatMul(direction));
        }, [weight]);
    }

    /// <summary>Σ x Wᵀ + b.</summary>
    internal static Tensor Forward(IReadOnlyList<ProductTerm> terms, Tensor? bias)
    {
        if (RowProducts.Applies(terms))
            return RowProducts.Sum(terms, isTransposed: true, bias);
        var sum = terms[0].Rows.Linear(Dense(terms[0]), bias);
        foreach (var term in terms.Skip(1))
            sum = sum.PlusLinear(term.Rows, Dense(term));
        return sum;
    }

    // Outputs that nothing used have no gradient.
    private static void Differentiate(Weight weight, Weight? bias, Tensor? output, ProductGradients gradients)
    {
        if (output is null)
            return;
        weight.Differentiate(output, gradients);
        if (bias?.Gradient is { } sink)
            sink.Add(SumOfRows(output, bias.DType));
    }

    /// <summary>Σ gradient_i W_i.</summary>
    internal static Tensor InputGradient(IReadOnlyList<ProductTerm> terms)
    {
        if (RowProducts.Applies(terms))
            return RowProducts.Sum(terms, isTransposed: false, null);
        var sum = terms[0].Rows.MatMul(Dense(terms[0]));
        foreach (var term in terms.Skip(1))
            sum = sum.Add(term.Rows.MatMul(Dense(term)));
        return sum;
    }

    private static Tensor Dense(ProductTerm term) => term.Weight.ToTensor(term.Rows.DType);

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
        KernelTable.Runs(Operation.GradientSum, gradient)
            ? RowSums.Of(gradient, result)
            : gradient.To(Shapes.SumType(gradient)).Sum(0).To(result);
}
