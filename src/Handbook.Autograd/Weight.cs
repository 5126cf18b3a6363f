using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>One product of a sum: rows · weightᵀ.</summary>
/// <param name="Rows">[N, in].</param>
/// <param name="Weight">[out, in].</param>
public readonly record struct ProductTerm(Tensor Rows, MatrixOperand Weight);

/// <summary>Σ rows · weightᵀ + bias.</summary>
/// <param name="terms">At least one; rows and outputs are as many in each.</param>
/// <param name="bias">[out], or null.</param>
/// <returns>[N, out].</returns>
public delegate Tensor MatrixProduct(IReadOnlyList<ProductTerm> terms, Tensor? bias);

/// <summary>
/// What operations multiply with, look up in or scale by. An operation knows it as an operand only: it asks for a product, or for a
/// tensor as long as it needs one, and hands what reaches the weight in the backward pass to its <see cref="Gradient"/>. Whether the
/// numbers are dense, adapted, packed in four bits or lie on other ranks is the weight's own affair, and a tape keeps the weight, never
/// a copy that was made of it.
/// </summary>
public abstract class Weight : IDisposable
{
    /// <summary>Sizes of the dimensions of what is leased.</summary>
    public abstract ReadOnlySpan<long> Shape { get; }

    /// <summary>Element type of what is leased.</summary>
    public abstract DType DType { get; }

    /// <summary>Where it computes.</summary>
    public abstract Device Device { get; }

    /// <summary>The leaves that it is made of, in the order of checkpoints.</summary>
    public abstract IEnumerable<Parameter> Parameters { get; }

    /// <summary>What of it is frozen in codes of few bits.</summary>
    public virtual IEnumerable<QuantizedWeight> Quantized => [];

    /// <summary>True when something in it is trained.</summary>
    public abstract bool RequiresGrad { get; }

    /// <summary>Where the gradient with respect to <see cref="Lease"/>'s tensor goes; null when nobody wants it.</summary>
    internal abstract GradientSink? Gradient { get; }

    /// <summary>The sinks that a use of the weight brings contributions to.</summary>
    internal abstract IEnumerable<GradientSink> Sinks { get; }

    /// <summary>The weight as a tensor, until the lease is given back.</summary>
    public WeightLease Lease() => new(this, Acquire());

    /// <summary>rows · weightᵀ + bias.</summary>
    /// <param name="rows">[N, in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="product">How rows meet dense matrices: in training by blocks, in generation each row by itself.</param>
    /// <param name="dropout">What an adapter's dropout draws from, in a training pass; null drops nothing.</param>
    public Tensor Multiply(Tensor rows, Tensor? bias, MatrixProduct product, RandomStream? dropout = null)
    {
        using var scope = new TensorScope();
        using var terms = new ProductTerms(product, dropout);
        AddTerms(rows, terms);
        return scope.Keep(terms.Sum(bias));
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Adds rows · weightᵀ as products of dense matrices, so that all of them are summed in one pass.</summary>
    internal virtual void AddTerms(Tensor rows, ProductTerms terms) => terms.Add(rows, Lease());

    /// <summary>The weight as a matrix that products read piece by piece, until the leases that it adds are given back.</summary>
    internal virtual MatrixOperand Lend(ICollection<WeightLease> leases)
    {
        var lease = Lease();
        leases.Add(lease);
        return lease.Value;
    }

    /// <summary>True when the backward pass wants the product again, and rather has it kept than made anew.</summary>
    internal virtual bool KeepsProduct => false;

    /// <summary>Rows of the table that the weight is, [ids, columns].</summary>
    internal virtual Variable LookUp(Tape tape, Tensor ids) => Embedding.OfTable(tape, ids, this);

    /// <summary>The backward pass of <see cref="Multiply"/>: gives its own gradient away,
    /// and the input's to <paramref name="gradients"/>.</summary>
    /// <param name="output">Gradient of the product, [N, out].</param>
    /// <param name="gradients">What the products of one input share.</param>
    internal virtual void Differentiate(Tensor output, ProductGradients gradients)
    {
        if (Gradient is { } sink)
            gradients.AddWeightGradient(sink, output);
        if (gradients.WantsInput)
            gradients.AddTerm(output, Lease());
    }

    /// <summary>Called when a tape will need the weight again in its backward pass.</summary>
    internal virtual void Retain() { }

    /// <summary>Called when that backward pass is over.</summary>
    internal virtual void Release() { }

    /// <summary>Makes the tensor ready.</summary>
    private protected abstract Tensor Acquire();

    /// <summary>Takes back what <see cref="Acquire"/> gave.</summary>
    internal abstract void Return(Tensor value);
}

/// <summary>A weight's tensor for as long as an operation needs it.</summary>
public readonly struct WeightLease : IDisposable
{
    private readonly Weight owner;

    internal WeightLease(Weight owner, Tensor value) => (this.owner, Value) = (owner, value);

    /// <summary>The tensor. It must not be used once the lease is given back.</summary>
    public Tensor Value { get; }

    /// <summary>Gives the tensor back.</summary>
    public void Dispose() => owner.Return(Value);
}
