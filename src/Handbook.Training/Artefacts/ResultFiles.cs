using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Training.Artefacts;

/// <summary><c>train_results.json</c>, <c>eval_results.json</c> and <c>all_results.json</c>, which gathers every split's metrics.</summary>
public static class ResultFiles
{
    /// <summary>
    /// Writes a split's metrics to its own file and merges them into <c>all_results.json</c>, as the Trainer's <c>save_metrics</c> does.
    /// </summary>
    /// <param name="outputFolder">The run's output folder.</param>
    /// <param name="split"><c>train</c>, <c>eval</c> or <c>test</c>.</param>
    /// <param name="metrics">The metrics; the step is left out, as transformers does.</param>
    public static void Save(string outputFolder, string split, MetricsRow metrics)
    {
        var values = metrics.ToJson();
        values.Remove(MetricNames.Step);
        foreach (var name in values.Select(value => value.Key).Where(IsCount).ToList())
            values[name] = (long)values[name]!.GetValue<double>();
        Write(Path.Combine(outputFolder, $"{split}_results.json"), values);

        var allPath = Path.Combine(outputFolder, "all_results.json");
        var all = ReadExisting(allPath);
        foreach (var (name, value) in values)
            all[name] = value?.DeepClone();
        Write(allPath, all);
    }

    /// <summary>A split's metrics as they were written, without a step; null when there are none.</summary>
    public static MetricsRow? Load(string outputFolder, string split) =>
        ReadExisting(Path.Combine(outputFolder, $"{split}_results.json")) is { Count: > 0 } values ? MetricsRow.FromJson(values) : null;

    private static bool IsCount(string name) => name is MetricNames.TrainSamples or MetricNames.EvaluationSamples;

    private static void Write(string path, JsonObject values) =>
        AtomicFile.WriteText(path, PythonJson.Write(values, indent: 4, sortKeys: true));

    // A file that an earlier run left broken must not cost this run its results.
    private static JsonObject ReadExisting(string path)
    {
        if (!File.Exists(path))
            return [];
        try
        {
            return PythonJson.Read(OrdinaryFile.ReadText(path)) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
