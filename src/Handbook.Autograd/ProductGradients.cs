using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>What the backward passes of one input's products share: its rows, made ready once, and the terms of its gradient.</summary>
internal sealed class ProductGradients(Tensor input, bool wantsInput) : IDisposable
{
    private readonly List<(Tensor Gradient, WeightLease Weight)> terms = [];
    private InterleavedRows? rows;

    /// <summary>[N, in].</summary>
    internal Tensor Input => input;

    /// <summary>False when nobody asks for the input's gradient.</summary>
    internal bool WantsInput => wantsInput;

    /// <summary>Adds gradient · weight to the input's gradient, and takes the lease over.</summary>
    /// <param name="gradient">[N, out].</param>
    /// <param name="weight">[out, in].</param>
    internal void AddTerm(Tensor gradient, WeightLease weight) => terms.Add((gradient, weight));

    /// <summary>Adds outputᵀ · input to a weight's gradient.</summary>
    /// <param name="sink">The weight's.</param>
    /// <param name="output">[N, out], whose type is the weight's.</param>
    internal void AddWeightGradient(GradientSink sink, Tensor output)
    {
        if (!RowProducts.Applies(output) || !RowProducts.Applies(input) || output.Size(1) % 2 != 0 || input.Size(1) % 2 != 0)
            sink.Add(output.Transpose(0, 1).MatMul(input));
        else if (sink.Sum is { } sum)
            TokenSums.AddTo(sum, output, rows ??= new InterleavedRows(input));
        else
            sink.Add(TokenSums.Of(output, rows ??= new InterleavedRows(input)));
    }

    /// <summary>The input's gradient [N, in]; null when no term was added.</summary>
    internal Tensor? InputGradient() =>
        terms.Count == 0 ? null : Linear.InputGradient(terms.ConvertAll(term => (term.Gradient, term.Weight.Value)));

    /// <summary>Frees the rows and gives the weights back.</summary>
    public void Dispose()
    {
        rows?.Dispose();
        foreach (var (_, weight) in terms)
            weight.Dispose();
    }
}
