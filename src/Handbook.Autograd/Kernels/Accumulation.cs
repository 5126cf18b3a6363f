using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Adds gradients into a float32 sum.</summary>
internal static unsafe class Accumulation
{
    /// <summary>sum += term, element by element; the sum is float32, the term float32 or bfloat16.</summary>
    internal static void AddInPlace(Tensor sum, Tensor term)
    {
        if (!KernelTable.Runs(Operation.GradientSum, sum, term) || sum.DType != DType.Float32)
        {
            sum.AddInPlace(term);
            return;
        }
        FusedKernels.ForWidth(Add<Lanes16>, Add<Lanes8>, Add<Lanes4>)(sum, term);
    }

    private static void Add<V>(Tensor sum, Tensor term) where V : unmanaged, ILanes<V>
    {
        if (term.DType == DType.Float32)
            Run<float, SingleAccess, V>((float*)sum.Pointer, (float*)term.Pointer, sum.ElementCount);
        else
            Run<ushort, BFloat16Access, V>((float*)sum.Pointer, (ushort*)term.Pointer, sum.ElementCount);
    }

    private static void Run<T, TAccess, V>(float* sum, T* term, long count)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
        where V : unmanaged, ILanes<V>
    {
        ParallelWork.For(count, FusedKernels.ElementwiseGrain, (begin, end) =>
        {
            var i = begin;
            for (; i + V.Count <= end; i += V.Count)
                (V.Load(sum + i) + TAccess.Load<V>(term + i)).Store(sum + i);
            for (; i < end; i++)
                sum[i] += TAccess.Read(term + i);
        });
    }
}
