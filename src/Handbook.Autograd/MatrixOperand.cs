using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// A matrix, or a stack of them, as products take it: numbers in a tensor, or codes of few bits that a product reads on its way.
/// </summary>
public abstract class MatrixOperand
{
    /// <summary>Sizes of the dimensions: [out, in], or [experts, out, in].</summary>
    public abstract ReadOnlySpan<long> Shape { get; }

    /// <summary>Where it lies.</summary>
    public abstract Device Device { get; }

    /// <summary>A tensor as it is.</summary>
    public static implicit operator MatrixOperand(Tensor tensor) => new DenseMatrix(tensor);

    /// <summary>Size of a dimension.</summary>
    public long Size(int dimension) => Shape[dimension];

    /// <summary>One matrix of a stack.</summary>
    public abstract MatrixOperand Select(int part);

    /// <summary>The numbers as a tensor, which is the operand's own or belongs to the current scope.</summary>
    /// <param name="dtype">Element type, where the numbers have to be made.</param>
    public abstract Tensor ToTensor(DType dtype);

    /// <summary>True for codes: to make a tensor of them costs time and memory.</summary>
    internal abstract bool IsQuantized { get; }

    /// <summary>True when kernels may read it beside rows of this type.</summary>
    internal abstract bool Fits(DType rows);

    /// <summary>How kernels read it; it must outlive the result.</summary>
    internal abstract WeightPanels Panels { get; }
}

/// <summary>A dense matrix or a stack of them.</summary>
/// <param name="tensor">Its numbers, which it does not own.</param>
internal sealed class DenseMatrix(Tensor tensor) : MatrixOperand
{
    public override ReadOnlySpan<long> Shape => tensor.Shape;

    public override Device Device => tensor.Device;

    internal override bool IsQuantized => false;

    internal override WeightPanels Panels => new DensePanels(tensor);

    public override MatrixOperand Select(int part) => tensor.Select(0, part);

    public override Tensor ToTensor(DType dtype) => tensor;

    internal override bool Fits(DType rows) => tensor.DType == rows && tensor.IsCpu && tensor.IsContiguous;
}
