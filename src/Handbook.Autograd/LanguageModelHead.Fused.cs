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
        return FusedKernels.ForWidth(Measure<Lanes16>, Measure<Lanes8>, Measure<Lanes4>)(call, isTracked);
    }

    /// <summary>Logps and the wanted gradients of sum(factor * logp) in one pass.</summary>
    private static (Tensor Logps, HeadStatistics Statistics, HeadGradients Gradients) Pass(
        HeadCall call, HeadGradients wanted, Tensor factors)
    {
        if (!FusedApplies(call))
            return PlainPass(call, wanted, factors);
        return FusedKernels.ForWidth(Pass<Lanes16>, Pass<Lanes8>, Pass<Lanes4>)(call, wanted, factors);
    }

    private static HeadValue Measure<V>(HeadCall call, bool isTracked) where V : unmanaged, ILanes<V> =>
        call.Weight.DType == DType.Float32
            ? HeadPass<float, SingleBlocks<V>, V>.Measure(call, isTracked)
            : HeadPass<ushort, BFloat16Blocks<V>, V>.Measure(call, isTracked);

    private static (Tensor Logps, HeadStatistics Statistics, HeadGradients Gradients) Pass<V>(
        HeadCall call, HeadGradients wanted, Tensor factors)
        where V : unmanaged, ILanes<V> =>
        call.Weight.DType == DType.Float32
            ? HeadPass<float, SingleBlocks<V>, V>.Run(call, wanted, factors)
            : HeadPass<ushort, BFloat16Blocks<V>, V>.Run(call, wanted, factors);

    /// <summary>Blocks in C# serve float32 and bfloat16 in host memory, for a head without bias and cap.</summary>
    private static bool FusedApplies(HeadCall call) =>
        KernelTable.Runs(Operation.Head, call.Hidden, call.Weight) && call.Hidden.DType == call.Weight.DType
        && call.Labels.Length > 0 && call.Bias is null && call.Options is { SoftCap: null, LogitScale: > 0 }
        && call.Weight.Size(1) % HeadChunk<float>.TileRows == 0;
}
