using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Training.Artefacts;

/// <summary>Metrics logged together: an entry of <c>log_history</c>, a line of the metrics log, a group of TensorBoard points.</summary>
public sealed record MetricsRow
{
    /// <summary>Optimizer steps done.</summary>
    public required int Step { get; init; }

    /// <summary>Epochs done, with fraction; null outside training.</summary>
    public double? Epoch { get; init; }

    /// <summary>Values by name (<see cref="MetricNames"/>) in the order they were logged, without step and epoch.</summary>
    public required ImmutableArray<KeyValuePair<string, double>> Values { get; init; }

    /// <summary>Builds a row from names and values.</summary>
    public static MetricsRow Of(int step, double? epoch, params ReadOnlySpan<(string Name, double Value)> values)
    {
        var pairs = ImmutableArray.CreateBuilder<KeyValuePair<string, double>>(values.Length);
        foreach (var (name, value) in values)
            pairs.Add(new(name, value));
        return new MetricsRow { Step = step, Epoch = epoch, Values = pairs.MoveToImmutable() };
    }

    /// <summary>The value of that name; null when the row has none.</summary>
    public double? this[string name]
    {
        get
        {
            foreach (var (key, value) in Values)
            {
                if (key == name)
                    return value;
            }
            return null;
        }
    }

    /// <summary>True for a row of an evaluation.</summary>
    public bool IsEvaluation => Values.Any(value => value.Key.StartsWith(MetricNames.EvaluationPrefix, StringComparison.Ordinal));

    /// <summary>As transformers writes it into <c>log_history</c>: the values, then epoch and step.</summary>
    public JsonObject ToJson()
    {
        var row = new JsonObject();
        foreach (var (name, value) in Values)
            row[name] = value;
        if (Epoch is { } epoch)
            row[MetricNames.Epoch] = epoch;
        row[MetricNames.Step] = Step;
        return row;
    }

    /// <summary>
    /// Reads an entry of <c>log_history</c> or a line of the metrics log; null is read as not-a-number, text is left out.
    /// </summary>
    public static MetricsRow FromJson(JsonObject row)
    {
        var values = ImmutableArray.CreateBuilder<KeyValuePair<string, double>>();
        foreach (var (name, node) in row)
        {
            if (name is MetricNames.Epoch or MetricNames.Step)
                continue;
            if (node is null)
                values.Add(new(name, double.NaN));
            else if (node.GetValueKind() == JsonValueKind.Number)
                values.Add(new(name, Number(node)));
        }
        return new MetricsRow
        {
            Step = row[MetricNames.Step] is { } step ? (int)Number(step) : 0,
            Epoch = row[MetricNames.Epoch] is { } epoch ? Number(epoch) : null,
            Values = values.ToImmutable(),
        };
    }

    /// <summary>Rows are equal when step, epoch and all values are.</summary>
    public bool Equals(MetricsRow? other) =>
        other is not null && Step == other.Step && Epoch.Equals(other.Epoch) && Values.SequenceEqual(other.Values);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Step, Epoch, Values.Length);

    private static double Number(JsonNode node) => node.AsValue() switch
    {
        var value when value.TryGetValue<double>(out var number) => number,
        var value when value.TryGetValue<long>(out var whole) => whole,
        var value => value.GetValue<int>(),
    };
}
