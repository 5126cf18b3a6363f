using Handbook.Autograd;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Training.Optimizers;

/// <summary>
/// The L2 norm over all gradients together, and what they are scaled by when it is too large, as
/// <c>torch.nn.utils.clip_grad_norm_</c>. Squares are summed in float64; the norm is not finite exactly when some element is not.
/// </summary>
public static class GradientNorm
{
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

    /// <summary>Sum of squares of all elements in float64.</summary>
    public static double SumOfSquares(Tensor tensor)
    {
        using var scope = new TensorScope();
        if (!KernelTable.Runs(Operation.GradientNorm, tensor))
            return Squares(tensor).Item();
        return SquareSums.Of(tensor);
    }

    private static Tensor Squares(Tensor tensor)
    {
        var wide = tensor.To(DType.Float64);
        return wide.Multiply(wide).Sum();
    }
}
