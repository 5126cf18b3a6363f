namespace Handbook.Training.Objectives;

/// <summary>Weighted sums by metric name; a metric is its sum over its weight, however many micro-batches it came from.</summary>
public sealed class MetricSums
{
    private readonly Dictionary<string, (double Sum, double Weight)> sums = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (double Value, Func<double, double, double> Choose)> extremes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string From, string Less)> differences = new(StringComparer.Ordinal);

    /// <summary>Adds an observation: <paramref name="sum"/> is the total over <paramref name="weight"/> tokens, pairs or rows.</summary>
    public MetricSums Add(string name, double sum, double weight)
    {
        var before = sums.GetValueOrDefault(name);
        sums[name] = (before.Sum + sum, before.Weight + weight);
        return this;
    }

    /// <summary>Adds a metric that is the difference of the means of two others, once both have been observed.</summary>
    /// <param name="name">The metric.</param>
    /// <param name="from">What is subtracted from.</param>
    /// <param name="less">What is subtracted.</param>
    public MetricSums AddDifference(string name, string from, string less)
    {
        differences[name] = (from, less);
        return this;
    }

    /// <summary>Adds a metric of a whole step, such as its largest reward, of which this is what one micro-batch saw.</summary>
    /// <param name="name">The metric.</param>
    /// <param name="value">What was seen.</param>
    /// <param name="choose">Which of two micro-batches' values is the step's.</param>
    public MetricSums AddExtreme(string name, double value, Func<double, double, double> choose)
    {
        extremes[name] = extremes.TryGetValue(name, out var before) ? (choose(before.Value, value), choose) : (value, choose);
        return this;
    }

    /// <summary>The step is whole: its extremes are observations like others from now on, and steps are averaged.</summary>
    public MetricSums EndStep()
    {
        foreach (var (name, (value, _)) in extremes)
            Add(name, value, 1);
        extremes.Clear();
        return this;
    }

    /// <summary>Adds everything that another one holds.</summary>
    public void Add(MetricSums other)
    {
        foreach (var (name, (value, choose)) in other.extremes)
            AddExtreme(name, value, choose);
        foreach (var (name, (sum, weight)) in other.sums)
            Add(name, sum, weight);
        foreach (var (name, (from, less)) in other.differences)
            AddDifference(name, from, less);
    }

    /// <summary>The means in the order of their first observation, then the differences; those without weight are left out.</summary>
    public IEnumerable<(string Name, double Value)> Means()
    {
        foreach (var (name, (sum, weight)) in sums)
        {
            if (weight > 0)
                yield return (name, sum / weight);
        }
        foreach (var (name, (from, less)) in differences)
        {
            if (Mean(from) is { } first && Mean(less) is { } second)
                yield return (name, first - second);
        }
    }

    /// <summary>Adds what the other ranks hold: every rank must have observed the same metrics.</summary>
    public void SumOver(World world)
    {
        if (world.Size == 1)
            return;
        var names = sums.Keys.Order(StringComparer.Ordinal).ToList();
        double[] values = [.. names.SelectMany(name => new[] { sums[name].Sum, sums[name].Weight })];
        world.Sum(values);
        for (var i = 0; i < names.Count; i++)
            sums[names[i]] = (values[2 * i], values[2 * i + 1]);
    }

    /// <summary>Starts anew.</summary>
    public void Clear()
    {
        sums.Clear();
        extremes.Clear();
        differences.Clear();
    }

    private double? Mean(string name) => sums.TryGetValue(name, out var entry) && entry.Weight > 0 ? entry.Sum / entry.Weight : null;
}
