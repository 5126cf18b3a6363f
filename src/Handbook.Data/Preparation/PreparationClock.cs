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

    /// <summary>Bytes that will be read, which tells about how many examples are to come; null while that is unknown.</summary>
    public long? TotalBytes { get; set; }

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
        var total = Total ?? (TotalBytes is { } all && bytes > 0 ? Math.Max(examples, (long)(examples * ((double)all / bytes))) : null);
        var remaining = total is { } count && examples > 0 ? elapsed * (Math.Max(0, count - examples) / (double)examples) : (TimeSpan?)null;
        progress.Report(new PreparationProgress(stage, examples, total, bytes, tokens, elapsed, remaining));
    }
}
