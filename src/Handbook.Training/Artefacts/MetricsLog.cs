using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Training.Artefacts;

/// <summary>
/// <c>metrics.jsonl</c>: one <see cref="MetricsRow"/> a line. Each line is handed to the system whole, so a killed process leaves at
/// most one broken line at the end; a resumed run drops it and every row past the step it starts from.
/// </summary>
public sealed class MetricsLog : IDisposable
{
    /// <summary>The file's name inside an output folder.</summary>
    public const string FileName = "metrics.jsonl";

    private readonly AppendedFile file;

    private MetricsLog(AppendedFile file) => this.file = file;

    /// <summary>Opens the log of an output folder; rows past <paramref name="resumedStep"/> are dropped (all, when it is 0).</summary>
    public static MetricsLog Open(string outputFolder, int resumedStep)
    {
        var path = Path.Combine(outputFolder, FileName);
        var kept = resumedStep > 0 && File.Exists(path) ? Read(path).Where(row => row.Step <= resumedStep).ToList() : [];
        AtomicFile.WriteText(path, string.Concat(kept.Select(row => PythonJson.WriteLine(row.ToJson()) + "\n")));
        return new MetricsLog(new AppendedFile(path, FileMode.Append));
    }

    /// <summary>Appends a row.</summary>
    public void Write(MetricsRow row) => file.Append(Encoding.UTF8.GetBytes(PythonJson.WriteLine(row.ToJson()) + "\n"));

    /// <summary>Reads a log; a broken last line is left out.</summary>
    /// <exception cref="UserErrorException">Another line is broken; the message names file and line.</exception>
    public static IReadOnlyList<MetricsRow> Read(string path)
    {
        var lines = OrdinaryFile.ReadLines(path, OrdinaryFile.TableLimit);
        var rows = new List<MetricsRow>(lines.Count);
        for (var i = 0; i < lines.Count; i++)
        {
            try
            {
                rows.Add(MetricsRow.FromJson(JsonNode.Parse(lines[i])?.AsObject() ?? []));
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException)
            {
                if (i < lines.Count - 1)
                    throw new UserErrorException($"{path}:{i + 1}: expected a JSON object with metrics.", error);
            }
        }
        return rows;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
