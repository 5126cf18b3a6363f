using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>The dense products that a weight's product is the sum of, and the leases that they need until it is made.</summary>
/// <param name="product">Makes the sum.</param>
/// <param name="dropout">What dropout draws from; null drops nothing.</param>
internal sealed class ProductTerms(MatrixProduct product, RandomStream? dropout) : IDisposable
{
    private readonly List<(Tensor Rows, WeightLease Weight)> terms = [];
    private Tensor? made;

    /// <summary>How rows meet dense matrices.</summary>
    internal MatrixProduct Product => product;

    /// <summary>What dropout draws from; null drops nothing.</summary>
    internal RandomStream? Dropout => dropout;

    /// <summary>Adds rows · weightᵀ and takes the lease over.</summary>
    internal void Add(Tensor rows, WeightLease weight) => terms.Add((rows, weight));

    /// <summary>Adds a product that is no sum of dense ones.</summary>
    internal void Add(Tensor product) => made = made is null ? product : made.Add(product);

    /// <summary>The sum, [N, out].</summary>
    internal Tensor Sum(Tensor? bias)
    {
        if (terms.Count == 0)
            return bias is null ? made! : made!.Add(bias);
        var sum = product(terms.ConvertAll(term => new ProductTerm(term.Rows, term.Weight.Value)), bias);
        return made is null ? sum : sum.Add(made);
    }

    /// <summary>Gives the weights back.</summary>
    public void Dispose()
    {
        foreach (var (_, weight) in terms)
            weight.Dispose();
    }
}
