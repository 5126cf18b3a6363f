using System.Globalization;
using System.Text;
using Handbook.Training.Artefacts;

namespace Handbook.Reports.ModelCards;

/// <summary>The table of evaluations of a model card, with the column names and rounding of transformers' <c>modelcard.py</c>.</summary>
internal static class ResultsTable
{
    private static readonly string[] Unshown =
    [
        MetricNames.EvaluationRuntime, MetricNames.EvaluationSamplesPerSecond, MetricNames.EvaluationStepsPerSecond,
        MetricNames.EvaluationSamples,
    ];

    /// <summary>Metrics of the last evaluation under their shown names.</summary>
    public static IReadOnlyList<(string Name, string Value)> FinalEvaluation(IReadOnlyList<MetricsRow> log) =>
        log.LastOrDefault(IsEvaluation) is { } last
            ? [.. Shown(last).Select(value => (Name(value.Key), Rounded(value.Value)))]
            : [];

    /// <summary>One line for every evaluation; empty when there was none.</summary>
    public static string Markdown(IReadOnlyList<MetricsRow> log)
    {
        var columns = new List<string> { "Training Loss", "Epoch", "Step", "Validation Loss" };
        columns.AddRange(log.Where(IsEvaluation).SelectMany(Shown).Select(value => value.Key)
            .Where(key => key != MetricNames.EvaluationLoss).Distinct(StringComparer.Ordinal));
        var lines = new List<string[]>();
        var trainingLoss = "No log";
        foreach (var row in log)
        {
            if (row[MetricNames.Loss] is { } loss)
                trainingLoss = Rounded(loss);
            if (IsEvaluation(row))
                lines.Add(Line(row, trainingLoss, columns));
        }
        return lines.Count == 0 ? "" : Table([.. columns.Take(4), .. columns.Skip(4).Select(Name)], lines);
    }

    private static string[] Line(MetricsRow row, string trainingLoss, List<string> columns) =>
    [
        trainingLoss,
        row.Epoch is { } epoch ? Rounded(epoch) : "",
        row.Step.ToString(CultureInfo.InvariantCulture),
        Rounded(row[MetricNames.EvaluationLoss]!.Value),
        .. columns.Skip(4).Select(key => row[key] is { } value ? Rounded(value) : ""),
    ];

    private static bool IsEvaluation(MetricsRow row) => row[MetricNames.EvaluationLoss] is not null;

    private static IEnumerable<KeyValuePair<string, double>> Shown(MetricsRow row) => row.Values.Where(value =>
        value.Key.StartsWith(MetricNames.EvaluationPrefix, StringComparison.Ordinal)
            && !Unshown.Contains(value.Key, StringComparer.Ordinal));

    private static string Name(string key) => string.Join(' ', key[MetricNames.EvaluationPrefix.Length..].Split('_').Select(
        part => part.Length == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..].ToLowerInvariant()));

    private static string Rounded(double value)
    {
        var text = PythonJson.Repr(value);
        return text.Split('.') is [_, { Length: > 4 }] ? value.ToString("F4", CultureInfo.InvariantCulture) : text;
    }

    private static string Table(string[] header, List<string[]> lines)
    {
        var widths = header.Select((name, column) => Math.Max(name.Length, lines.Max(line => line[column].Length))).ToArray();
        var text = new StringBuilder();
        AppendLine(text, header, widths);
        foreach (var width in widths)
            text.Append("|:").Append('-', width).Append(':');
        text.Append("|\n");
        foreach (var line in lines)
            AppendLine(text, line, widths);
        return text.ToString();
    }

    private static void AppendLine(StringBuilder text, string[] cells, int[] widths)
    {
        for (var i = 0; i < cells.Length; i++)
            text.Append("| ").Append(cells[i].PadRight(widths[i])).Append(' ');
        text.Append("|\n");
    }
}
