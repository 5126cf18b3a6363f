using Handbook.Training.Artefacts;

namespace Handbook.Training.Loop;

/// <summary>Hands every row of metrics to the run's sinks (JSONL, TensorBoard, ...), in order.</summary>
public sealed class RunLog(IReadOnlyList<Action<MetricsRow>> sinks, IReadOnlyList<IDisposable> owned) : IDisposable
{
    /// <summary>Writes a row to every sink.</summary>
    public void Write(MetricsRow row)
    {
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
