using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

public static unsafe partial class LanguageModelHead
{
    /// <summary>Logps by the road that the operands allow; <paramref name="isTracked"/> when gradients may be asked for.</summary>
    private static HeadValue Measure(HeadCall call, bool isTracked)
    {
        if (!FusedApplies(call))
        {
            var (logps, statistics, _) = PlainPass(call, default, null);
            return new HeadValue(logps, statistics) { Gradients = (again, wanted, factors) => PlainPass(again, wanted, factors).Gradients };
        }
        return call.Weight.DType == DType.Float32
            ? HeadPass<float, SingleBlocks>.Measure(call, isTracked)
            : HeadPass<ushort, BFloat16Blocks>.Measure(call, isTracked);
    }

    /// <summary>Logps and the wanted gradients of sum(factor * logp) in one pass.</summary>
    private static (Tensor Logps, HeadStatistics Statistics, HeadGradients Gradients) Pass(HeadCall call, HeadGradients wanted, Tensor factors)
    {
        if (!FusedApplies(call))
            return PlainPass(call, wanted, factors);
        return call.Weight.DType == DType.Float32
            ? HeadPass<float, SingleBlocks>.Run(call, wanted, factors)
            : HeadPass<ushort, BFloat16Blocks>.Run(call, wanted, factors);
    }

    /// <summary>Blocks in C# serve float32 and bfloat16 in host memory, for a head without bias and cap.</summary>
    private static bool FusedApplies(HeadCall call) =>
        CpuMatrixKernels.IsSupported && FusedKernels.Apply(call.Hidden, call.Weight) && call.Hidden.DType == call.Weight.DType
        && call.Labels.Length > 0 && call.Bias is null && call.Options is { SoftCap: null, LogitScale: > 0 }
        && call.Weight.Size(1) % HeadChunk<float>.TileRows == 0;
}
