namespace Handbook.Data.Preparation;

/// <summary>Counts what was read and reports how far preparation has come.</summary>
/// <param name="progress">Who is told; null for nobody.</param>
/// <param name="time">The clock.</param>
internal sealed class PreparationClock(IProgress<PreparationProgress>? progress, TimeProvider time)
{
    private readonly long began = time.GetTimestamp();
    private long examples;
    private long bytes;

    /// <summary>Examples that will be read, or null while that is unknown.</summary>
    public long? Total { get; set; }

    /// <summary>Counts an example of so many bytes.</summary>
    public void Add(int size)
    {
        examples++;
        bytes += size;
    }

    /// <summary>Reports.</summary>
    public void Tell(string stage, long tokens)
    {
        if (progress is null)
            return;
        var elapsed = time.GetElapsedTime(began);
        var remaining = Total is { } total && examples > 0 ? elapsed * (Math.Max(0, total - examples) / (double)examples) : (TimeSpan?)null;
        progress.Report(new PreparationProgress(stage, examples, Total, bytes, tokens, elapsed, remaining));
    }
}
