using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

/// <summary>
/// Dropout (Srivastava et al. 2014): every element is zero with probability p and divided by 1 - p otherwise. The mask is a
/// function of the tape's seed and the element's number, so it is made anew in the backward pass and never stored.
/// </summary>
public static class Dropout
{
    /// <summary>Drops elements; evaluation passes p = 0, which returns the input itself.</summary>
    /// <param name="tape">Where to record, and whose random numbers are taken: one an element.</param>
    /// <param name="x">Any shape.</param>
    /// <param name="p">Probability of zero, in [0, 1).</param>
    public static Variable Apply(Tape tape, Variable x, double p)
    {
        if (p is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(p), p, "The probability lies in [0, 1).");
        if (p == 0)
            return x;
        var random = tape.Random;
        var first = random.Take(x.Value.ElementCount);
        return tape.Record(Masked(x.Value, random, first, p), [x], [], (gradient, _) =>
            x.Accumulate(Masked(gradient, random, first, p)));
    }

    /// <summary>x times the mask of the numbers from an index on.</summary>
    internal static Tensor Masked(Tensor x, RandomStream random, ulong first, double p) =>
        KernelTable.Runs(Operation.Elementwise, x) ? DropoutKernel.Apply(x, random, first, p) : PlainMasked(x, random, first, p);

    /// <summary>The definition.</summary>
    internal static Tensor PlainMasked(Tensor x, RandomStream random, ulong first, double p)
    {
        using var scope = new TensorScope();
        return scope.Keep(x.Multiply(Mask(random.Uniform(first, x.Shape, x.Device), p).To(x.DType)));
    }

    /// <summary>0 where a uniform number is below p, 1/(1 - p) elsewhere, float32.</summary>
    internal static Tensor Mask(Tensor uniform, double p)
    {
        // In float64, where p is what it is: a comparison in float32 would round it.
        using var bound = Tensor.Scalar(p);
        var drops = Operator.Call("aten::lt"u8, "Tensor"u8, uniform.To(DType.Float64), bound);
        return Elementary.Arithmetic.Choose(drops, Tensor.Zeros([], DType.Float32, uniform.Device),
            Tensor.Full([], (float)(1 / (1 - p)), DType.Float32, uniform.Device));
    }
}
