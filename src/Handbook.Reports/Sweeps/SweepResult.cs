using System.Text.Json.Nodes;

namespace Handbook.Reports.Sweeps;

/// <summary>A finished run of a sweep.</summary>
/// <param name="Name">Its name and folder.</param>
/// <param name="Recipe">SHA-256 of what it ran: recipe, model and data.</param>
/// <param name="Settings">The keys that the sweep varies, with this run's values.</param>
/// <param name="Metrics">What it ended with: of the evaluation where there was one, else of training.</param>
public sealed record SweepResult(
    string Name, string Recipe, IReadOnlyList<(string Key, string Value)> Settings, IReadOnlyList<(string Name, double Value)> Metrics)
{
    /// <summary>The metric; null where the run has none of that name.</summary>
    public double? this[string metric] =>
        Metrics.Where(entry => entry.Name == metric).Select(entry => (double?)entry.Value).FirstOrDefault();

    internal JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["recipe_sha256"] = Recipe,
        ["settings"] = new JsonObject(Settings.Select(setting => KeyValuePair.Create(setting.Key, (JsonNode?)setting.Value))),
        ["metrics"] = new JsonObject(Metrics.Where(metric => double.IsFinite(metric.Value))
            .Select(metric => KeyValuePair.Create(metric.Name, (JsonNode?)metric.Value))),
    };

    internal static SweepResult Of(JsonObject json) => new(
        (string)json["name"]!, (string)json["recipe_sha256"]!,
        [.. json["settings"]!.AsObject().Select(entry => (entry.Key, (string)entry.Value!))],
        [.. json["metrics"]!.AsObject().Select(entry => (entry.Key, (double)entry.Value!))]);
}
