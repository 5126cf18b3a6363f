using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>The products of matrices that a weight's product is the sum of, and the leases that they need until it is made.</summary>
/// <param name="product">Makes the sum.</param>
/// <param name="dropout">What dropout draws from; null drops nothing.</param>
internal sealed class ProductTerms(MatrixProduct product, RandomStream? dropout) : IDisposable
{
    private readonly List<ProductTerm> terms = [];
    private readonly List<WeightLease> leases = [];
    private Tensor? made;

    /// <summary>How rows meet dense matrices.</summary>
    internal MatrixProduct Product => product;

    /// <summary>What dropout draws from; null drops nothing.</summary>
    internal RandomStream? Dropout => dropout;

    /// <summary>Adds rows · weightᵀ and takes the lease over.</summary>
    internal void Add(Tensor rows, WeightLease weight)
    {
        leases.Add(weight);
        Add(rows, (MatrixOperand)weight.Value);
    }

    /// <summary>Adds rows · weightᵀ.</summary>
    internal void Add(Tensor rows, MatrixOperand weight) => terms.Add(new ProductTerm(rows, weight));

    /// <summary>Leases that are needed until then; they are given back with this.</summary>
    internal ICollection<WeightLease> Leases => leases;

    /// <summary>Adds a product that is none of matrices.</summary>
    internal void Add(Tensor product) => made = made is null ? product : made.Add(product);

    /// <summary>The sum, [N, out].</summary>
    internal Tensor Sum(Tensor? bias)
    {
        if (terms.Count == 0)
            return bias is null ? made! : made!.Add(bias);
        var sum = product(terms, bias);
        return made is null ? sum : sum.Add(made);
    }

    /// <summary>Gives the weights back.</summary>
    public void Dispose()
    {
        foreach (var lease in leases)
            lease.Dispose();
    }
}
