namespace Handbook.Training.Objectives;

/// <summary>Weighted sums by metric name; a metric is its sum over its weight, however many micro-batches it came from.</summary>
public sealed class MetricSums
{
    private readonly Dictionary<string, (double Sum, double Weight)> sums = new(StringComparer.Ordinal);

    /// <summary>Adds an observation: <paramref name="sum"/> is the total over <paramref name="weight"/> tokens, pairs or rows.</summary>
    public MetricSums Add(string name, double sum, double weight)
    {
        var before = sums.GetValueOrDefault(name);
        sums[name] = (before.Sum + sum, before.Weight + weight);
        return this;
    }

    /// <summary>Adds everything that another one holds.</summary>
    public void Add(MetricSums other)
    {
        foreach (var (name, (sum, weight)) in other.sums)
            Add(name, sum, weight);
    }

    /// <summary>The means in the order of their first observation; those without weight are left out.</summary>
    public IEnumerable<(string Name, double Value)> Means() =>
        sums.Where(entry => entry.Value.Weight > 0).Select(entry => (entry.Key, entry.Value.Sum / entry.Value.Weight));

    /// <summary>Starts anew.</summary>
    public void Clear() => sums.Clear();
}
