using System.Globalization;

namespace Handbook.Reports;

/// <summary>A scale from values to drawing units, with round marks.</summary>
internal sealed class Axis
{
    private readonly double low, high, start, end;
    private readonly bool isLogarithmic;

    /// <summary>Fits <paramref name="values"/> between two drawing positions.</summary>
    public Axis(IEnumerable<double> values, double start, double end, bool isLogarithmic = false, bool fromZero = false)
    {
        (this.start, this.end) = (start, end);
        var finite = values.Where(value => double.IsFinite(value) && (!isLogarithmic || value > 0)).ToList();
        this.isLogarithmic = isLogarithmic && finite.Count > 0;
        (low, high) = finite.Count > 0 ? (Inner(finite.Min()), Inner(finite.Max())) : (0, 1);
        if (fromZero)
            (low, high) = (Math.Min(0, low), Math.Max(0, high));
        if (high - low < 1e-12 * Math.Max(1, Math.Abs(high)))
            (low, high) = (low - 0.5 * Math.Max(1e-9, Math.Abs(low)), high + 0.5 * Math.Max(1e-9, Math.Abs(high)));
        Marks = FindMarks();
    }

    /// <summary>Round values inside the scale with their texts.</summary>
    public IReadOnlyList<(double Value, string Text)> Marks { get; }

    /// <summary>The drawing position of a value.</summary>
    public double At(double value) => start + (Inner(value) - low) / (high - low) * (end - start);

    /// <summary>A short text for a value.</summary>
    public static string Text(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 1e6 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M",
        >= 1e4 => (value / 1e3).ToString("0.##", CultureInfo.InvariantCulture) + "k",
        < 1e-3 => value.ToString("0.##e-0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    private double Inner(double value) => isLogarithmic ? Math.Log10(value) : value;

    private List<(double, string)> FindMarks()
    {
        var marks = new List<(double, string)>();
        var step = RoundStep((high - low) / 5);
        if (isLogarithmic)
            step = Math.Max(1, Math.Round(step));
        for (var i = Math.Ceiling(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
        {
            var value = isLogarithmic ? Math.Pow(10, i * step) : i * step + 0.0;
            marks.Add((value, Text(value)));
        }
        return marks;
    }

    private static double RoundStep(double raw)
    {
        var magnitude = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        return (raw / magnitude) switch { < 1.5 => 1, < 3.5 => 2, < 7.5 => 5, _ => 10 } * magnitude;
    }
}
