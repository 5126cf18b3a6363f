using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>When a kernel of ours may run instead of the plain composition of libtorch's operators.</summary>
public static class FusedKernels
{
    /// <summary>Elements below which splitting work among threads costs more than it gains.</summary>
    internal const long ElementwiseGrain = 1 << 15;

    /// <summary>
    /// False makes every operation take its plain composition: tests hold the two equal, and <c>handbook bench</c> shows what
    /// the kernels are worth.
    /// </summary>
    public static bool Enabled { get; set; } = true;

    /// <summary>True when all tensors are row-major, in host memory, and float32 or bfloat16.</summary>
    internal static bool Apply(params ReadOnlySpan<Tensor> tensors)
    {
        if (!Enabled)
            return false;
        foreach (var tensor in tensors)
        {
            if (!tensor.IsCpu || tensor.DType is not (DType.Float32 or DType.BFloat16) || !tensor.IsContiguous)
                return false;
        }
        return true;
    }
}
