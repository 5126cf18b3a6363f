using System.Globalization;
using System.Text;

namespace Handbook.Training.Artefacts;

/// <summary>
/// <c>metrics.csv</c>: a line for every value (step, epoch, name, value), which spreadsheets and data frames pivot as they like
/// and which does not need to know the names beforehand.
/// </summary>
public sealed class CsvLog : IDisposable
{
    /// <summary>The file's name inside an output folder.</summary>
    public const string FileName = "metrics.csv";

    private const string Header = "step,epoch,name,value";

    private readonly AppendedFile file;

    private CsvLog(AppendedFile file) => this.file = file;

    /// <summary>
    /// Opens the log of an output folder; lines past <paramref name="resumedStep"/> and a broken last one are dropped (all, when it is 0).
    /// </summary>
    public static CsvLog Open(string outputFolder, int resumedStep)
    {
        var path = Path.Combine(outputFolder, FileName);
        var kept = resumedStep > 0 && File.Exists(path)
            ? OrdinaryFile.ReadLines(path, OrdinaryFile.TableLimit).Skip(1).Where(line => IsKept(line, resumedStep)) : [];
        AtomicFile.WriteText(path, string.Concat(kept.Prepend(Header).Select(line => line + "\n")));
        return new CsvLog(new AppendedFile(path, FileMode.Append));
    }

    /// <summary>Appends every value of a row.</summary>
    public void Write(MetricsRow row)
    {
        var text = new StringBuilder();
        var epoch = row.Epoch is { } value ? PythonJson.Repr(value) : "";
        foreach (var (name, number) in row.Values)
            text.Append(CultureInfo.InvariantCulture,
                $"{row.Step},{epoch},{name},{(double.IsFinite(number) ? PythonJson.Repr(number) : "")}\n");
        file.Append(Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private static bool IsKept(string line, int resumedStep) =>
        line.Split(',') is [var step, _, _, _] && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= resumedStep;
}
