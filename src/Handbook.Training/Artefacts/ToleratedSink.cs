namespace Handbook.Training.Artefacts;

/// <summary>
/// A sink that may fail: a log on a full disk never costs the run its next checkpoint. It is said once, and tried again with every
/// row, since disks are cleared.
/// </summary>
internal sealed class ToleratedSink(string name, Action<MetricsRow> write, Action<string> tell)
{
    private bool isTold;

    /// <summary>Hands the row on.</summary>
    public void Write(MetricsRow row)
    {
        try
        {
            write(row);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (!isTold)
                tell($"{name}: cannot be written: {error.Message.ReplaceLineEndings(" ")} The run goes on without these rows.");
            isTold = true;
        }
    }
}
