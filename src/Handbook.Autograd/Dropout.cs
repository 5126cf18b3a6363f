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

    private static Tensor Masked(Tensor x, RandomStream random, ulong first, double p)
    {
        using var scope = new TensorScope();
        var mask = Tensor.Empty(x.Shape, DType.Float32);
        Fill(mask, random, first, p);
        return scope.Keep(x.Multiply(mask.To(x.Device).To(x.DType)));
    }

    private static unsafe void Fill(Tensor mask, RandomStream random, ulong first, double p)
    {
        var target = (float*)mask.Pointer;
        var kept = (float)(1 / (1 - p));
        ParallelWork.For(mask.ElementCount, Kernels.FusedKernels.ElementwiseGrain, (begin, end) =>
        {
            for (var i = begin; i < end; i++)
                target[i] = random.Uniform(first + (ulong)i) < p ? 0 : kept;
        });
    }
}
