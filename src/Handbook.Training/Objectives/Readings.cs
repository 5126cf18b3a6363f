using Handbook.Torch;

namespace Handbook.Training.Objectives;

/// <summary>
/// Numbers of a micro-batch that leave the device together: whoever wants some for a metric says so, and the first look at any of them
/// reads all, in one wait.
/// </summary>
public sealed class Readings
{
    private readonly List<Reading> wanted = [];
    private readonly List<Action<MetricSums>> reports = [];
    private MetricSums? metrics;

    /// <summary>The metrics, in the order in which they were asked for.</summary>
    public MetricSums Metrics
    {
        get
        {
            if (metrics is not null)
                return metrics;
            metrics = new MetricSums();
            foreach (var report in reports)
                report(metrics);
            return metrics;
        }
    }

    /// <summary>Asks for a tensor's elements, which must be there until the first look.</summary>
    public Reading Of(Tensor tensor)
    {
        var reading = new Reading(this, tensor);
        wanted.Add(reading);
        return reading;
    }

    /// <summary>Asks for a metric: <paramref name="sum"/>, a scalar, is the total over <paramref name="weight"/> tokens or pairs.</summary>
    public void Add(string name, Tensor sum, double weight)
    {
        var reading = Of(sum);
        Add(metrics => metrics.Add(name, reading.Value, weight));
    }

    /// <summary>Asks for metrics that are made of several readings.</summary>
    public void Add(Action<MetricSums> report) => reports.Add(report);

    internal void Read()
    {
        using var scope = new TensorScope();
        var all = Operator.Call("aten::cat"u8, default, wanted.Select(want => want.Tensor.To(DType.Float64).Reshape(-1)).ToArray(), 0L)
            .Read<double>(DeviceWait.Loss);
        var start = 0;
        foreach (var reading in wanted)
        {
            var count = (int)reading.Tensor.ElementCount;
            reading.Set(all[start..(start + count)]);
            start += count;
        }
        wanted.Clear();
    }
}

/// <summary>Elements that were asked for.</summary>
public sealed class Reading
{
    private readonly Readings all;
    private double[]? values;

    internal Reading(Readings all, Tensor tensor) => (this.all, Tensor) = (all, tensor);

    /// <summary>The elements, in row-major order. The first look at those of a micro-batch waits for the device.</summary>
    public double[] Values
    {
        get
        {
            if (values is null)
                all.Read();
            return values!;
        }
    }

    /// <summary>The only element.</summary>
    public double Value => Values[0];

    internal Tensor Tensor { get; }

    internal void Set(double[] read) => values = read;
}
