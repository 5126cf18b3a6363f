using Handbook.Torch;

namespace Handbook.Autograd.Tests;

/// <summary>Runs the same work on one and on two threads.</summary>
internal static class Threads
{
    private static readonly Lock Gate = new();

    internal static T[] WithOneAndTwo<T>(Func<T> work)
    {
        lock (Gate)
        {
            var before = ParallelWork.ThreadCount;
            try
            {
                ParallelWork.ThreadCount = 1;
                var one = work();
                ParallelWork.ThreadCount = 2;
                return [one, work()];
            }
            finally
            {
                ParallelWork.ThreadCount = before;
            }
        }
    }
}
