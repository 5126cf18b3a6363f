using Handbook.Autograd.Quantization;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// A frozen weight in codes of few bits (QLoRA; arXiv:2305.14314). Products read the codes into their own cache blocks, forward and
/// backward; only whoever leases it gets all of its numbers as a tensor. Nothing in it is trained, so it has no parameters.
/// </summary>
public sealed class QuantizedWeight : Weight
{
    private readonly MatrixOperand operand;

    /// <summary>A matrix; takes it over.</summary>
    /// <param name="name">Name in the checkpoint.</param>
    /// <param name="matrix">[out, in].</param>
    /// <param name="dtype">Element type that it computes in.</param>
    public QuantizedWeight(string name, QuantizedMatrix matrix, DType dtype)
    {
        (Name, Parts, DType) = (name, [matrix], dtype);
        operand = matrix;
    }

    /// <summary>A stack of matrices of one shape, such as experts'; takes them over.</summary>
    /// <param name="name">Name in the checkpoint.</param>
    /// <param name="parts">[out, in] each.</param>
    /// <param name="dtype">Element type that it computes in.</param>
    public QuantizedWeight(string name, IReadOnlyList<QuantizedMatrix> parts, DType dtype)
    {
        (Name, Parts, DType) = (name, parts, dtype);
        operand = new QuantizedStack(parts);
    }

    /// <summary>Name in the checkpoint.</summary>
    public string Name { get; }

    /// <summary>The matrix, or those of the stack.</summary>
    public IReadOnlyList<QuantizedMatrix> Parts { get; }

    /// <inheritdoc/>
    public override ReadOnlySpan<long> Shape => operand.Shape;

    /// <inheritdoc/>
    public override DType DType { get; }

    /// <inheritdoc/>
    public override Device Device => operand.Device;

    /// <inheritdoc/>
    public override IEnumerable<QuantizedWeight> Quantized => [this];

    /// <inheritdoc/>
    public override IEnumerable<Parameter> Parameters => [];

    /// <inheritdoc/>
    public override bool RequiresGrad => false;

    /// <summary>Bytes in memory.</summary>
    public long ByteCount => Parts.Sum(part => part.ByteCount);

    internal override GradientSink? Gradient => null;

    internal override IEnumerable<GradientSink> Sinks => [];

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var part in Parts)
            part.Dispose();
    }

    internal override MatrixOperand Lend(ICollection<WeightLease> leases) => operand;

    internal override void AddTerms(Tensor rows, ProductTerms terms) => terms.Add(rows, operand);

    internal override void Differentiate(Tensor output, ProductGradients gradients)
    {
        if (gradients.WantsInput)
            gradients.AddTerm(output, operand);
    }

    internal override void Return(Tensor value) => value.Dispose();

    private protected override Tensor Acquire()
    {
        using var scope = new TensorScope();
        return TensorScope.Detach(operand.ToTensor(DType));
    }
}
