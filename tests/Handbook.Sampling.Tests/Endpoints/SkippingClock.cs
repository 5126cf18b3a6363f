using System.Collections.Concurrent;

namespace Handbook.Sampling.Tests.Endpoints;

/// <summary>A clock whose waits are over at once; the first limit of a request runs out when the test says so, others never.</summary>
internal sealed class SkippingClock(Task? firstLimit = null) : TimeProvider
{
    /// <summary>The time limit of a request, longer than any wait between tries.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly ConcurrentQueue<TimeSpan> waits = [];
    private Task? limit = firstLimit;

    public IReadOnlyList<TimeSpan> Waits => [.. waits];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime < Limit && dueTime >= TimeSpan.Zero)
        {
            waits.Enqueue(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
        if (dueTime >= Limit)
            _ = Interlocked.Exchange(ref limit, null)?.ContinueWith(_ => callback(state), TaskScheduler.Default);
        return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
    }
}
