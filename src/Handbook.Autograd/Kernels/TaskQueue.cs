using Handbook.Torch;

namespace Handbook.Autograd.Kernels;

/// <summary>
/// Hands tasks of unequal size to libtorch's threads as they become free. A task writes only what no other task does, so the
/// result does not depend on who runs it.
/// </summary>
internal static class TaskQueue
{
    internal static void Run(int count, Action<int> task)
    {
        var last = -1;
        ParallelWork.For(Math.Min(count, ParallelWork.ThreadCount), 1, (_, _) =>
        {
            for (var next = Interlocked.Increment(ref last); next < count; next = Interlocked.Increment(ref last))
                task(next);
            CpuMatrixKernels.Release();
        });
    }
}
