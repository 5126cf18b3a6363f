using System.Diagnostics;

namespace Handbook.Autograd;

/// <summary>
/// Where a step's time goes, by operation. Operations run one after the other, so the time since the last mark belongs to the
/// one that marks: each recording is a mark for its forward pass, each closure of the backward pass for its own.
/// </summary>
public sealed class OperationTimes
{
    private readonly Dictionary<(string Operation, string Pass), (long Ticks, int Calls)> entries = [];
    private long last = Stopwatch.GetTimestamp();

    [ThreadStatic]
    private static OperationTimes? current;

    /// <summary>The times being collected on this thread, which is the one that runs the operations;
    /// null (the default) collects none.</summary>
    public static OperationTimes? Current { get => current; set => current = value; }

    /// <summary>Starts the next stretch of time without giving the last one to anybody.</summary>
    public void Restart() => last = Stopwatch.GetTimestamp();

    /// <summary>Gives the time since the last mark to an operation.</summary>
    /// <param name="operation">Such as <c>Linear</c>.</param>
    /// <param name="pass"><c>forward</c>, <c>backward</c> or <c>update</c>.</param>
    public void Mark(string operation, string pass)
    {
        var now = Stopwatch.GetTimestamp();
        var before = entries.GetValueOrDefault((operation, pass));
        entries[(operation, pass)] = (before.Ticks + now - last, before.Calls + 1);
        last = now;
    }

    /// <summary>Seconds and calls by operation and pass, the longest first.</summary>
    public IReadOnlyList<OperationTime> Totals() =>
        [.. entries.Select(entry => new OperationTime(
                entry.Key.Operation, entry.Key.Pass, (double)entry.Value.Ticks / Stopwatch.Frequency, entry.Value.Calls))
            .OrderByDescending(time => time.Seconds)];
}

/// <summary>Time of one operation in one pass.</summary>
public sealed record OperationTime(string Operation, string Pass, double Seconds, int Calls);
