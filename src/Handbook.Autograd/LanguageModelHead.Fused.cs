using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

public static unsafe partial class LanguageModelHead
{
    /// <summary>Logps, and the wanted gradients of sum(factor * logp), by the road that the operands allow.</summary>
    private static (Tensor Logps, HeadStatistics Statistics, HeadGradients Gradients) Pass(HeadCall call, HeadGradients wanted, Tensor? factors)
    {
        if (!FusedApplies(call))
            return PlainPass(call, wanted, factors);
        using var rows = factors?.To(DType.Float32).Contiguous();
        return call.Weight.DType == DType.Float32
            ? HeadPass<float, SingleBlocks>.Run(call, wanted, rows)
            : HeadPass<ushort, BFloat16Blocks>.Run(call, wanted, rows);
    }

    /// <summary>Blocks in C# serve float32 and bfloat16 in host memory, for a head without bias and cap.</summary>
    private static bool FusedApplies(HeadCall call) =>
        CpuMatrixKernels.IsSupported && FusedKernels.Apply(call.Hidden, call.Weight) && call.Hidden.DType == call.Weight.DType
        && call.Labels.Length > 0 && call.Bias is null && call.Options is { SoftCap: null, LogitScale: > 0 }
        && call.Weight.Size(1) % HeadChunk<float>.TileRows == 0;
}
