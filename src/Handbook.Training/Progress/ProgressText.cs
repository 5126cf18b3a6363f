using System.Globalization;

namespace Handbook.Training.Progress;

/// <summary>Words and numbers of progress lines, the same on a live terminal and in a log.</summary>
public static class ProgressText
{
    /// <summary>One step as a plain line.</summary>
    public static string Line(StepProgress step)
    {
        var gradient = step.GradientNorm is { } norm ? $"  grad {Number(norm)}" : "";
        var watched = string.Concat(step.Watched.Select(metric => $"  {metric.Name} {Number(metric.Value)}"));
        return string.Create(CultureInfo.InvariantCulture,
            $"step {step.Step}/{step.TotalSteps}  epoch {step.Epoch:0.00}  loss {step.Loss:0.0000}{watched}{gradient}  lr "
                + $"{Rate(step.LearningRate)}  {Count(step.TokensPerSecond)} tok/s  eta {Time(step.Remaining)}");
    }

    /// <summary>Three significant digits.</summary>
    public static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    /// <summary>A learning rate: <c>2.0e-05</c>.</summary>
    public static string Rate(double value) => value == 0 ? "0" : value.ToString("0.0e-00", CultureInfo.InvariantCulture);

    /// <summary>A count with a unit: <c>950</c>, <c>4.2k</c>, <c>1.3M</c>.</summary>
    public static string Count(double value) => value switch
    {
        < 1000 => value.ToString("0", CultureInfo.InvariantCulture),
        < 100_000 => (value / 1000).ToString("0.0", CultureInfo.InvariantCulture) + "k",
        < 1_000_000 => (value / 1000).ToString("0", CultureInfo.InvariantCulture) + "k",
        _ => (value / 1_000_000).ToString("0.0", CultureInfo.InvariantCulture) + "M",
    };

    /// <summary>A stretch of time: <c>42s</c>, <c>3:21</c>, <c>1:05:00</c>, <c>2d 03:04</c>.</summary>
    public static string Time(TimeSpan time) => time switch
    {
        { TotalSeconds: < 59.5 } => Math.Round(time.TotalSeconds).ToString("0", CultureInfo.InvariantCulture) + "s",
        { TotalHours: < 1 } => time.ToString("m\\:ss", CultureInfo.InvariantCulture),
        { TotalDays: < 1 } => time.ToString("h\\:mm\\:ss", CultureInfo.InvariantCulture),
        _ => time.ToString("d'd 'hh\\:mm", CultureInfo.InvariantCulture),
    };
}
