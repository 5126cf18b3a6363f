using Handbook.Training.Artefacts;

namespace Handbook.Training.Loop;

/// <summary>Hands every row of metrics to the run's sinks (JSONL, TensorBoard, ...), in order; the first rank writes for all.</summary>
/// <param name="sinks">Where rows go.</param>
/// <param name="owned">What is closed with it.</param>
/// <param name="world">All ranks; null for this one alone.</param>
public sealed class RunLog(IReadOnlyList<Action<MetricsRow>> sinks, IReadOnlyList<IDisposable> owned, World? world = null) : IDisposable
{
    /// <summary>Writes a row to every sink.</summary>
    public void Write(MetricsRow row)
    {
        if (world is { IsFirst: false })
            return;
        foreach (var sink in sinks)
            sink(row);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var sink in owned)
            sink.Dispose();
    }
}
