using System.Runtime.Intrinsics;
using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>Adds gradients into a float32 sum.</summary>
internal static unsafe class Accumulation
{
    /// <summary>sum += term, element by element; the sum is float32, the term float32 or bfloat16.</summary>
    internal static void AddInPlace(Tensor sum, Tensor term)
    {
        if (!FusedKernels.Apply(sum, term) || sum.DType != DType.Float32)
        {
            sum.AddInPlace(term);
            return;
        }
        if (term.DType == DType.Float32)
            Run<float, SingleAccess>((float*)sum.Pointer, (float*)term.Pointer, sum.ElementCount);
        else
            Run<ushort, BFloat16Access>((float*)sum.Pointer, (ushort*)term.Pointer, sum.ElementCount);
    }

    private static void Run<T, TAccess>(float* sum, T* term, long count)
        where T : unmanaged
        where TAccess : struct, IFloatAccess<T>
    {
        ParallelWork.For(count, FusedKernels.ElementwiseGrain, (begin, end) =>
        {
            var i = begin;
            for (; i + 16 <= end; i += 16)
                (Vector512.Load(sum + i) + TAccess.Load(term + i)).Store(sum + i);
            for (; i < end; i++)
                sum[i] += TAccess.Read(term + i);
        });
    }
}
