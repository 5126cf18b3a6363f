using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>How kernels of ours run on this processor, and whether they run at all.</summary>
public static class FusedKernels
{
    /// <summary>Elements below which splitting work among threads costs more than it gains.</summary>
    internal const long ElementwiseGrain = 1 << 15;

    /// <summary>
    /// False makes every operation take its plain composition: tests hold the two equal, and <c>handbook bench</c> shows what
    /// the kernels are worth.
    /// </summary>
    public static bool Enabled { get; set; } = true;

    /// <summary>
    /// Float32 numbers that kernels compute at a time: 16 with AVX-512, 8 with AVX2, 4 on every other processor. Tests take fewer.
    /// </summary>
    internal static int Lanes { get; set; } =
        Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported ? 16
            : Vector256.IsHardwareAccelerated ? 8 : 4;

    /// <summary>Of a kernel compiled for each width the one that runs here.</summary>
    internal static TKernel ForWidth<TKernel>(TKernel sixteen, TKernel eight, TKernel four) where TKernel : Delegate =>
        Lanes == 16 ? sixteen : Lanes == 8 ? eight : four;

    /// <summary>True when kernels that multiply blocks run here.</summary>
    internal static bool MultipliesBlocks => CpuMatrixKernels.IsSupported;

    /// <summary>True when blocks of bfloat16 are multiplied as they are; else they are widened to float32 in the cache.
    /// Tests widen.</summary>
    internal static bool MultipliesBFloat16 { get; set; } = CpuMatrixKernels.HasBFloat16;
}
