using System.Globalization;
using Handbook.Training.Artefacts;

namespace Handbook.Training.TensorBoard;

/// <summary>
/// The event file of a run: <c>runs/&lt;time_host&gt;/events.out.tfevents.&lt;seconds&gt;.&lt;host&gt;.&lt;process&gt;.0</c>, with
/// the tags that transformers' TensorBoard callback gives (<c>train/loss</c>, <c>eval/loss</c>). A resumed run adds a file to the
/// newest run folder and says from which step on older points no longer hold, so that curves go on without a fork.
/// </summary>
public sealed class EventFile : IDisposable
{
    private const string FilePrefix = "events.out.tfevents.";
    private readonly AppendedFile file;
    private readonly TimeProvider clock;
    private bool isKept;

    private EventFile(AppendedFile file, TimeProvider clock)
    {
        this.file = file;
        this.clock = clock;
    }

    /// <summary>Full path of the file.</summary>
    public string FilePath => file.FilePath;

    /// <summary>Starts the file of a run, or the next one of a run that goes on.</summary>
    /// <param name="runsFolder"><c>runs</c> inside the output folder, or the recipe's <c>logging_dir</c>.</param>
    /// <param name="resumedStep">Optimizer steps already done; 0 for a new run.</param>
    /// <param name="clock">Gives the time of folder, file and points.</param>
    public static EventFile Open(string runsFolder, int resumedStep, TimeProvider clock)
    {
        var seconds = clock.GetUtcNow().ToUnixTimeSeconds();
        var folder = (resumedStep > 0 ? NewestRun(runsFolder) : null) ?? Path.Combine(runsFolder, RunName(clock));
        Directory.CreateDirectory(folder);
        var name = FilePrefix
            + string.Create(CultureInfo.InvariantCulture, $"{seconds:0000000000}.{Environment.MachineName}.{Environment.ProcessId}");
        for (var i = 0; ; i++)
        {
            var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}.{i}"));
            if (File.Exists(path))
                continue;
            var file = new EventFile(new AppendedFile(path, FileMode.CreateNew), clock) { isKept = resumedStep == 0 };
            file.Append(EventRecord.FileVersion(file.WallTime()));
            if (resumedStep > 0)
                file.Append(EventRecord.SessionStart(file.WallTime(), resumedStep + 1));
            return file;
        }
    }

    /// <summary>Writes every value of a row as a point at the row's step, and its epoch.</summary>
    public void Write(MetricsRow row)
    {
        foreach (var (name, value) in row.Values)
            Write(TagOf(name), row.Step, value);
        if (row.Epoch is { } epoch)
            Write("train/epoch", row.Step, epoch);
    }

    /// <summary>Writes one point.</summary>
    public void Write(string tag, int step, double value)
    {
        Append(EventRecord.Scalar(WallTime(), step, tag, (float)value));
        isKept = true;
    }

    /// <summary>Closes the file; that of a run which went on and had nothing left to do holds no point and is taken away again.</summary>
    public void Dispose()
    {
        file.Dispose();
        if (!isKept)
            File.Delete(file.FilePath);
    }

    /// <summary><c>eval_loss</c> becomes <c>eval/loss</c>, everything else <c>train/...</c>.</summary>
    internal static string TagOf(string metric) =>
        metric.StartsWith(MetricNames.EvaluationPrefix, StringComparison.Ordinal) ? "eval/" + metric[MetricNames.EvaluationPrefix.Length..]
        : metric.StartsWith("test_", StringComparison.Ordinal) ? "test/" + metric["test_".Length..]
        : "train/" + metric;

    private static string RunName(TimeProvider clock) =>
        clock.GetLocalNow().ToString("MMMdd_HH-mm-ss", CultureInfo.InvariantCulture) + "_" + Environment.MachineName;

    private static string? NewestRun(string runsFolder) => !Directory.Exists(runsFolder) ? null :
        Directory.EnumerateFiles(runsFolder, FilePrefix + "*", SearchOption.AllDirectories)
            .OrderByDescending(Path.GetFileName, StringComparer.Ordinal)
            .Select(Path.GetDirectoryName).FirstOrDefault();

    private double WallTime() => (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    private void Append(byte[] message) => file.Append(RecordFraming.Frame(message));
}
