using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Rotary position embedding (Su et al. 2021, arXiv:2104.09864) in the rotate-half layout of Hugging Face checkpoints: element
/// i and element i + R/2 of a head are turned together by the angle of (position, i). The first R elements of a head are
/// turned (R = twice the width of the tables), the others pass through. Products are taken in float32 and rounded once.
/// </summary>
public static  class RotaryEmbedding
{
    /// <summary>Turns every head of every token.</summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="x">[tokens, heads, headDim].</param>
    /// <param name="cos">
    /// Cosines [tokens, R/2], float32 (or float64 beside float64 data): the rows for these tokens' positions, made once for a
    /// row of tokens and shared by all layers.
    /// </param>
    /// <param name="sin">Sines, same shape.</param>
    /// <returns>[tokens, heads, headDim] in x's type.</returns>
    public static Variable Apply(Tape tape, Variable x, Tensor cos, Tensor sin)
    {
        Check(x.Value, cos, sin);
        return tape.Record(Rotate(x.Value, cos, sin, inverse: false), [x], [cos, sin], (gradient, saved) =>
            x.Accumulate(Rotate(gradient, saved[0], saved[1], inverse: true)));
    }

    /// <summary>Cosines and sines for the given positions: angle = position * inverse frequency, computed in float64.</summary>
    /// <param name="positions">Position of each token.</param>
    /// <param name="inverseFrequencies">R/2 inverse frequencies, after any scaling of the checkpoint's configuration.</param>
    /// <param name="scale">Factor on both (the attention factor of YaRN and its kin).</param>
    /// <param name="device">Where the tables are to be.</param>
    public static (Tensor Cos, Tensor Sin) Tables(
        ReadOnlySpan<int> positions, ReadOnlySpan<float> inverseFrequencies, double scale = 1, Device device = default)
    {
        var half = inverseFrequencies.Length;
        var cos = new float[positions.Length * half];
        var sin = new float[positions.Length * half];
        for (var t = 0; t < positions.Length; t++)
        {
            for (var i = 0; i < half; i++)
            {
                // The product is rounded to float32 as the reference does; only then may the function be exact.
                var angle = positions[t] * inverseFrequencies[i];
                cos[t * half + i] = (float)(Math.Cos(angle) * scale);
                sin[t * half + i] = (float)(Math.Sin(angle) * scale);
            }
        }
        return (Tensor.From<float>(cos, [positions.Length, half], device), Tensor.From<float>(sin, [positions.Length, half], device));
    }

    /// <summary>The definition, in libtorch's operators: any device and type.</summary>
    internal static Tensor PlainRotate(Tensor x, Tensor cos, Tensor sin, bool inverse)
    {
        using var scope = new TensorScope();
        var half = cos.Size(1);
        var wide = x.DType == DType.Float64 ? DType.Float64 : DType.Float32;
        var c = cos.To(wide).View(cos.Size(0), 1, half);
        var s = sin.To(wide).View(sin.Size(0), 1, half).Multiply(inverse ? -1 : 1);
        var first = x.Narrow(2, 0, half).To(wide);
        var second = x.Narrow(2, half, half).To(wide);
        var turnedFirst = first.Multiply(c).Subtract(second.Multiply(s)).To(x.DType);
        var turnedSecond = second.Multiply(c).Add(first.Multiply(s)).To(x.DType);
        var rest = x.Narrow(2, 2 * half, x.Size(2) - 2 * half);
        return scope.Keep(Operator.Call("aten::cat"u8, default, new[] { turnedFirst, turnedSecond, rest }, 2L));
    }

    private static Tensor Rotate(Tensor x, Tensor cos, Tensor sin, bool inverse) =>
        KernelTable.Runs(Operation.Rotary, x, cos, sin) && cos.DType == DType.Float32 && sin.DType == DType.Float32
            ? RotaryKernel.Rotate(x, cos, sin, inverse)
            : PlainRotate(x, cos, sin, inverse);

    private static void Check(Tensor x, Tensor cos, Tensor sin)
    {
        if (x.DimensionCount != 3 || cos.DimensionCount != 2 || !cos.Shape.SequenceEqual(sin.Shape)
            || cos.Size(0) != x.Size(0) || 2 * cos.Size(1) > x.Size(2))
            throw new ArgumentException(
                $"Rotary embedding of {x} with tables {cos} and {sin}: [tokens, heads, headDim] and [tokens, at most headDim/2] are "
                    + "needed.");
    }
}
