using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd.Quantization;

/// <summary>Matrices of one shape in codes of few bits, such as those of experts: each has been quantised by itself.</summary>
/// <param name="parts">The matrices, [out, in] each.</param>
internal sealed class QuantizedStack(IReadOnlyList<QuantizedMatrix> parts) : MatrixOperand
{
    private readonly long[] shape = [parts.Count, .. parts[0].Shape];

    public override ReadOnlySpan<long> Shape => shape;

    public override Device Device => parts[0].Device;

    internal override bool IsQuantized => true;

    internal override WeightPanels Panels => throw new InvalidOperationException("A stack is multiplied part by part.");

    public override MatrixOperand Select(int part) => parts[part];

    public override Tensor ToTensor(DType dtype)
    {
        using var scope = new TensorScope();
        return scope.Keep(Operator.Call("aten::stack"u8, default, parts.Select(part => part.Dequantize(dtype)).ToArray(), 0L));
    }

    internal override bool Fits(DType rows) => false;
}
