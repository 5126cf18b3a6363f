using System.Collections.Concurrent;

namespace Handbook.Data.Preparation;

/// <summary>Maps a stream on several threads and gives the results back in the stream's order, holding only a few at a time.</summary>
internal static class OrderedParallel
{
    /// <summary>
    /// Results in order. The source is read by one thread ahead of the workers. The first failure ends the stream and is
    /// thrown as it was.
    /// </summary>
    public static IEnumerable<TResult> Map<TItem, TResult>(
        IEnumerable<TItem> items, Func<TItem, TResult> map, int threads, CancellationToken cancellation)
    {
        if (threads <= 1)
        {
            foreach (var item in items)
            {
                cancellation.ThrowIfCancellationRequested();
                yield return map(item);
            }
            yield break;
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var pending = new BlockingCollection<Task<TResult>>(2 * threads);
        using var slots = new SemaphoreSlim(threads);
        var reader = OnThreadOfItsOwn(() => { Read(items, map, pending, slots, stop.Token); return true; });
        try
        {
            foreach (var task in pending.GetConsumingEnumerable(CancellationToken.None))
                yield return task.GetAwaiter().GetResult();
            reader.GetAwaiter().GetResult();
        }
        finally
        {
            stop.Cancel();
            Drain(pending, reader);
        }
    }

    private static void Read<TItem, TResult>(
        IEnumerable<TItem> items, Func<TItem, TResult> map, BlockingCollection<Task<TResult>> pending, SemaphoreSlim slots,
        CancellationToken stop)
    {
        try
        {
            foreach (var item in items)
            {
                slots.Wait(stop);
                pending.Add(OnThreadOfItsOwn(() =>
                {
                    try { return map(item); }
                    finally { slots.Release(); }
                }), stop);
            }
        }
        finally
        {
            pending.CompleteAdding();
        }
    }

    /// <summary>
    /// Reader and workers wait for each other: on the shared pool, which is as small as the machine, they would wait for a thread too.
    /// </summary>
    private static Task<T> OnThreadOfItsOwn<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);

    /// <summary>Waits until nothing of ours runs any more; failures were thrown already or no longer matter.</summary>
    private static void Drain<TResult>(BlockingCollection<Task<TResult>> pending, Task reader)
    {
        try
        {
            reader.Wait(CancellationToken.None);
        }
        catch (AggregateException)
        {
        }
        foreach (var task in pending.GetConsumingEnumerable(CancellationToken.None))
            ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
    }
}
