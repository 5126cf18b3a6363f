using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Handbook.Torch;

/// <summary>Work shared among libtorch's own threads, so that our kernels and its operators never compete for processors.</summary>
public static unsafe class ParallelWork
{
    /// <summary>Threads that libtorch's operators and ours run on.</summary>
    /// <exception cref="NotSupportedException">Set on a libtorch that does not export <c>at::set_num_threads</c>.</exception>
    public static int ThreadCount
    {
        get
        {
            uint count;
            Operator.Check(Native.GetThreadCount(&count), "torch_get_num_threads");
            return (int)count;
        }
        set
        {
            if (Native.SetThreadCount == null)
                throw new NotSupportedException(
                    "This libtorch does not let its thread count be set; set OMP_NUM_THREADS before the start.");
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Native.SetThreadCount(value);
        }
    }

    /// <summary>
    /// Calls <paramref name="body"/> with ranges that cover [0, count), at least <paramref name="grain"/> long, on libtorch's
    /// threads; returns when all are done. The first exception of a body is thrown again here.
    /// </summary>
    public static void For(long count, long grain, Action<long, long> body)
    {
        if (count <= 0)
            return;
        if (count <= grain)
        {
            body(0, count);
            return;
        }
        var work = new Work { Body = body };
        var pinned = GCHandle.Alloc(work);
        try
        {
            Operator.Check(Native.ParallelFor(0, count, grain, &Run, (void*)GCHandle.ToIntPtr(pinned)), "torch_parallel_for");
        }
        finally
        {
            pinned.Free();
        }
        if (work.Failure is { } failure)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>
    /// As <see cref="For"/>, with ranges that begin at multiples of <paramref name="block"/>: which elements share a vector, and
    /// so the result to the last bit, does not depend on the number of threads.
    /// </summary>
    public static void ForBlocks(long count, int block, Action<long, long> body) =>
        For((count + block - 1) / block, 1, (first, last) => body(first * block, Math.Min(count, last * block)));

    private sealed class Work
    {
        public required Action<long, long> Body { get; init; }

        public Exception? Failure { get; set; }
    }

    [UnmanagedCallersOnly]
    private static void Run(long begin, long end, void* context)
    {
        var work = Unsafe.As<Work>(GCHandle.FromIntPtr((nint)context).Target!);
        try
        {
            work.Body(begin, end);
        }
        catch (Exception failure)
        {
            work.Failure = failure;
        }
    }
}
