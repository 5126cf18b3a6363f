using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>What the backward passes of one input's products share: its rows, made ready once, and the terms of its gradient.</summary>
/// <param name="input">[N, in].</param>
/// <param name="wantsInput">Whether the input's gradient is wanted.</param>
internal class ProductGradients(Tensor input, bool wantsInput) : IDisposable
{
    private readonly List<ProductTerm> terms = [];
    private readonly List<WeightLease> leases = [];
    private InterleavedRows? interleaved;
    private Tensor? made;

    /// <summary>[N, in].</summary>
    internal Tensor Input => input;

    /// <summary>False when nobody asks for the input's gradient.</summary>
    internal bool WantsInput => wantsInput;

    /// <summary>What the product's dropout drew from, where it began; null when nothing was dropped.</summary>
    internal RandomStream? Dropout { get; set; }

    /// <summary>The product that is differentiated, without a bias, where its weight wanted it kept; null else.</summary>
    internal Tensor? Kept { get; set; }

    /// <summary>A sum [N, in] beside the terms that may be added to on the spot.</summary>
    internal Tensor Added => made ??= Tensor.Zeros(input.Shape, input.DType, input.Device);

    /// <summary>Leases that are needed until then; they are given back with this.</summary>
    internal ICollection<WeightLease> Leases => leases;

    /// <summary>How rows meet dense matrices.</summary>
    internal virtual MatrixProduct Product => Linear.Forward;

    /// <summary>The same for other rows that meet the same kind of weights.</summary>
    internal virtual ProductGradients Of(Tensor rows, bool wantsInput) => new(rows, wantsInput);

    /// <summary>Adds gradient · weight to the input's gradient, and takes the lease over.</summary>
    /// <param name="gradient">[N, out].</param>
    /// <param name="weight">[out, in].</param>
    internal void AddTerm(Tensor gradient, WeightLease weight)
    {
        leases.Add(weight);
        AddTerm(gradient, (MatrixOperand)weight.Value);
    }

    /// <summary>Adds gradient · weight to the input's gradient.</summary>
    internal void AddTerm(Tensor gradient, MatrixOperand weight) => terms.Add(new ProductTerm(gradient, weight));

    /// <summary>Adds a term that is no product of dense matrices, [N, in].</summary>
    internal void AddInputGradient(Tensor term) => made = made is null ? term : made.Add(term);

    /// <summary>Adds outputᵀ · input to a weight's gradient.</summary>
    /// <param name="sink">The weight's.</param>
    /// <param name="output">[N, out], whose type is the weight's.</param>
    internal virtual void AddWeightGradient(GradientSink sink, Tensor output)
    {
        if (!RowProducts.Applies(output) || !RowProducts.Applies(input) || output.Size(1) % 2 != 0 || input.Size(1) % 2 != 0)
            sink.Add(output.Transpose(0, 1).MatMul(input));
        else if (sink.Sum is { } sum)
            TokenSums.AddTo(sum, output, interleaved ??= new InterleavedRows(input));
        else
            sink.Add(TokenSums.Of(output, interleaved ??= new InterleavedRows(input)));
    }

    /// <summary>The input's gradient [N, in]; null when no term was added.</summary>
    internal Tensor? InputGradient()
    {
        var sum = terms.Count == 0 ? null : Sum(terms);
        return sum is null || made is null ? sum ?? made : sum.Add(made);
    }

    /// <summary>Frees the rows and gives the weights back.</summary>
    public void Dispose()
    {
        interleaved?.Dispose();
        foreach (var lease in leases)
            lease.Dispose();
    }

    /// <summary>Σ gradient · weight.</summary>
    private protected virtual Tensor Sum(List<ProductTerm> terms) => Linear.InputGradient(terms);
}
