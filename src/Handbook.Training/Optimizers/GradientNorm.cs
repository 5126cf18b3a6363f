using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// The L2 norm over all gradients together, and what they are scaled by when it is too large, as
/// <c>torch.nn.utils.clip_grad_norm_</c>. Squares are summed in float64 over fixed blocks, so that the norm does not depend on
/// the number of threads; it is not finite exactly when some element is not.
/// </summary>
public static class GradientNorm
{
    private const int Block = 1 << 14;

    /// <summary>Global norm; parameters without a gradient count as zero.</summary>
    /// <param name="parameters">What is trained, on this rank.</param>
    /// <param name="world">All ranks; null for this one alone.</param>
    public static double Global(IReadOnlyList<Parameter> parameters, World? world = null)
    {
        using var scope = new TensorScope();
        double[] sum = [0];
        var elsewhere = new List<Tensor>();
        foreach (var gradient in parameters.Select(parameter => parameter.Grad).OfType<Tensor>())
        {
            if (gradient.IsCpu)
                sum[0] += SumOfSquares(gradient);
            else
                elsewhere.Add(Squares(gradient));
        }
        // One wait for all gradients on a device.
        if (elsewhere.Count > 0)
            sum[0] += Operator.Call("aten::stack"u8, default, elsewhere.ToArray(), 0L).Sum().Read<double>(DeviceWait.GradientNorm)[0];
        (world ?? World.Single).Sum(sum);
        return Math.Sqrt(sum[0]);
    }

    /// <summary>What gradients are multiplied by: min(1, maximum / (norm + 1e-6)); 1 when the maximum is 0.</summary>
    public static double ClipFactor(double norm, double maximum) => maximum > 0 ? Math.Min(1, maximum / (norm + 1e-6)) : 1;

    /// <summary>Names of parameters with a gradient element that is infinite or not a number.</summary>
    public static IEnumerable<string> NonFinite(IReadOnlyList<Parameter> parameters) =>
        parameters.Where(parameter => parameter.Grad is { } gradient && !double.IsFinite(SumOfSquares(gradient))).Select(parameter => parameter.Name);

    /// <summary>Sum of squares of all elements in float64.</summary>
    public static double SumOfSquares(Tensor tensor)
    {
        using var scope = new TensorScope();
        if (!KernelTable.Runs(Operation.GradientNorm, tensor))
            return Squares(tensor).Item();
        var partial = new double[(tensor.ElementCount + Block - 1) / Block];
        FusedKernels.ForWidth(Sum<Lanes16>, Sum<Lanes8>, Sum<Lanes4>)(tensor, partial);
        return partial.Sum();
    }

    private static Tensor Squares(Tensor tensor)
    {
        var wide = tensor.To(DType.Float64);
        return wide.Multiply(wide).Sum();
    }

    private static unsafe void Sum<V>(Tensor tensor, double[] partial) where V : unmanaged, ILanes<V>
    {
        if (tensor.DType == DType.Float32)
            Sum<float, SingleAccess, V>((float*)tensor.Pointer, tensor.ElementCount, partial);
        else
            Sum<ushort, BFloat16Access, V>((ushort*)tensor.Pointer, tensor.ElementCount, partial);
    }

    private static unsafe void Sum<T, TAccess, V>(T* data, long count, double[] partial)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        ParallelWork.ForBlocks(count, Block, (begin, end) =>
        {
            for (var start = begin; start < end; start += Block)
                partial[start / Block] = BlockSum<T, TAccess, V>(data + start, Math.Min(Block, end - start));
        });
    }

    private static unsafe double BlockSum<T, TAccess, V>(T* data, long count)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        var low = default(V);
        var high = default(V);
        long i = 0;
        for (; i + V.Count <= count; i += V.Count)
            V.AddSquares(TAccess.Load<V>(data + i), ref low, ref high);
        var sum = V.SumDoubles(low, high);
        for (; i < count; i++)
        {
            var v = (double)TAccess.Read(data + i);
            sum += v * v;
        }
        return sum;
    }
}
