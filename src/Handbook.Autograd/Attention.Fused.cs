using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd;

public static unsafe partial class Attention
{
    /// <summary>Blocks in C# around libtorch's block products, for float32 and bfloat16 in host memory.</summary>
    private static class Fused
    {
        internal static bool Applies(Tensor query, Tensor key, Tensor value, AttentionRule rule) =>
            KernelTable.Runs(Operation.Attention, query, key, value) && rule is { Scale: > 0, SoftCap: null, Dropout: 0 }
            && query.DType == key.DType && key.DType == value.DType && key.Size(2) == value.Size(2);

        internal static (Tensor Output, Tensor LogSumExp) Forward(AttentionPlan plan, Tensor query, Tensor key, Tensor value) =>
            FusedKernels.ForWidth(Attend<Lanes16>, Attend<Lanes8>, Attend<Lanes4>)(plan, query, key, value);

        /// <param name="plan">As in the forward pass.</param>
        /// <param name="gradient">Of the output, row-major in the query's type.</param>
        /// <param name="saved">Query, key, value, output and log-sum-exp.</param>
        internal static (Tensor Query, Tensor Key, Tensor Value) Backward(AttentionPlan plan, Tensor gradient, Tensor[] saved) =>
            FusedKernels.ForWidth(Differentiate<Lanes16>, Differentiate<Lanes8>, Differentiate<Lanes4>)(plan, gradient, saved);

        private static (Tensor Output, Tensor LogSumExp) Attend<V>(AttentionPlan plan, Tensor query, Tensor key, Tensor value)
            where V : unmanaged, ILanes<V> =>
            query.DType == DType.Float32
                ? AttentionForward<float, SingleBlocks<V>, V>.Run(plan, query, key, value)
                : AttentionForward<ushort, BFloat16Blocks<V>, V>.Run(plan, query, key, value);

        private static (Tensor Query, Tensor Key, Tensor Value) Differentiate<V>(AttentionPlan plan, Tensor gradient, Tensor[] saved)
            where V : unmanaged, ILanes<V> =>
            gradient.DType == DType.Float32
                ? AttentionBackward<float, SingleBlocks<V>, V>.Run(plan, gradient, saved[0], saved[1], saved[2], saved[3], saved[4])
                : AttentionBackward<ushort, BFloat16Blocks<V>, V>.Run(plan, gradient, saved[0], saved[1], saved[2], saved[3], saved[4]);
    }
}
