using System.Globalization;
using System.Text;
using static System.FormattableString;

namespace Handbook.Reports;

/// <summary>Draws charts as SVG text whose colours come from the page's style, so that they suit light and dark alike.</summary>
internal static class SvgChart
{
    private const double Width = 560, Height = 260, Left = 54, Right = 546, Top = 12, Bottom = 222;
    private const int MostPoints = 600;

    public static string Of(LineChart chart)
    {
        var points = chart.Series.SelectMany(series => series.Points).ToList();
        var x = new Axis(points.Select(point => point.X), Left, Right);
        var y = new Axis(points.Select(point => point.Y), Bottom, Top, chart.IsLogarithmic);
        var text = Open(chart.Title);
        AppendGrid(text, x, y, chart.XLabel);
        for (var i = 0; i < chart.Series.Count; i++)
        {
            var kept = Thinned([.. chart.Series[i].Points
                .Where(point => double.IsFinite(point.Y) && (!chart.IsLogarithmic || point.Y > 0))]);
            var path = string.Join(' ', kept.Select(point => Invariant($"{x.At(point.X):0.##},{y.At(point.Y):0.##}")));
            text.Append(Invariant($"<polyline class=\"line c{i % 4}\" points=\"{path}\"/>"));
            if (chart.Series[i].IsSparse || kept.Count == 1)
            {
                foreach (var (px, py) in kept)
                    text.Append(Invariant($"<circle class=\"dot c{i % 4}\" cx=\"{x.At(px):0.##}\" cy=\"{y.At(py):0.##}\" r=\"3\"/>"));
            }
        }
        text.Append("<line class=\"cursor\" y1=\"12\" y2=\"222\" visibility=\"hidden\"/></svg>");
        return text.ToString();
    }

    public static string Of(BarChart chart)
    {
        var values = chart.Groups.SelectMany(group => group.Values).Select(value => value ?? 0);
        var y = new Axis(chart.IsShare ? [0, 1] : values, Bottom, Top, fromZero: true);
        var text = Open(chart.Title);
        foreach (var (value, mark) in y.Marks)
            AppendHorizontal(text, y.At(value), chart.IsShare ? value.ToString("0%", CultureInfo.InvariantCulture) : mark);
        var slot = (Right - Left) / Math.Max(1, chart.Groups.Count);
        var bar = Math.Min(34, slot * 0.8 / Math.Max(1, chart.Series.Count));
        for (var g = 0; g < chart.Groups.Count; g++)
        {
            var middle = Left + slot * (g + 0.5);
            text.Append(CultureInfo.InvariantCulture,
                $"<text class=\"tick\" text-anchor=\"middle\" x=\"{middle:0.#}\" "
                    + $"y=\"{Bottom + 16}\">{HtmlReport.Escape(chart.Groups[g].Name)}</text>");
            for (var s = 0; s < chart.Groups[g].Values.Count; s++)
            {
                if (chart.Groups[g].Values[s] is not { } value)
                    continue;
                var (from, to) = (y.At(Math.Max(0, value)), y.At(Math.Min(0, value)));
                var label = chart.IsShare ? value.ToString("0.#%", CultureInfo.InvariantCulture) : Axis.Text(value);
                text.Append(CultureInfo.InvariantCulture,
                    $"<rect class=\"bar c{s % 4}\" x=\"{middle + (s - chart.Series.Count / 2.0) * bar + 1:0.##}\" y=\"{from:0.##}\" "
                        + $"width=\"{bar - 2:0.##}\" height=\"{Math.Max(1, to - from):0.##}\" "
                        + $"rx=\"2\"><title>{HtmlReport.Escape(chart.Series[s])}: {label}</title></rect>");
            }
        }
        return text.Append("</svg>").ToString();
    }

    public static string Of(Histogram chart)
    {
        var all = chart.Samples.SelectMany(sample => sample.Values).Where(double.IsFinite).ToList();
        var (low, high) = all.Count > 0 ? (all.Min(), all.Max()) : (0, 1);
        var width = high > low ? (high - low) / chart.BinCount : 1;
        var counts = chart.Samples.Select(sample => Count(sample.Values, low, width, chart.BinCount)).ToList();
        var x = new Axis([low, low + width * chart.BinCount], Left, Right);
        var y = new Axis(counts.SelectMany(bins => bins).Select(count => (double)count), Bottom, Top, fromZero: true);
        var text = Open(chart.Title);
        AppendGrid(text, x, y, chart.XLabel);
        for (var s = 0; s < counts.Count; s++)
        {
            for (var bin = 0; bin < chart.BinCount; bin++)
            {
                if (counts[s][bin] == 0)
                    continue;
                var (from, to, top) = (x.At(low + bin * width), x.At(low + (bin + 1) * width), y.At(counts[s][bin]));
                text.Append(CultureInfo.InvariantCulture,
                    $"<rect class=\"bar see c{s % 4}\" x=\"{from + 0.5:0.##}\" y=\"{top:0.##}\" "
                        + $"width=\"{Math.Max(0.5, to - from - 1):0.##}\" "
                        + $"height=\"{Bottom - top:0.##}\"><title>{HtmlReport.Escape(chart.Samples[s].Name)}: "
                        + $"{counts[s][bin]}</title></rect>");
            }
        }
        return text.Append("</svg>").ToString();
    }

    private static int[] Count(IReadOnlyList<double> values, double low, double width, int binCount)
    {
        var bins = new int[binCount];
        foreach (var value in values.Where(double.IsFinite))
            bins[Math.Clamp((int)((value - low) / width), 0, binCount - 1)]++;
        return bins;
    }

    private static StringBuilder Open(string title) =>
        new StringBuilder()
            .Append(Invariant($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{HtmlReport.Escape(title)}\">"));

    private static void AppendGrid(StringBuilder text, Axis x, Axis y, string xLabel)
    {
        foreach (var (value, mark) in y.Marks)
            AppendHorizontal(text, y.At(value), mark);
        foreach (var (value, mark) in x.Marks)
            text.Append(Invariant(
                $"<text class=\"tick\" text-anchor=\"middle\" x=\"{x.At(value):0.#}\" y=\"{Bottom + 16}\">{mark}</text>"));
        text.Append(Invariant(
            $"<text class=\"label\" text-anchor=\"end\" x=\"{Right}\" y=\"{Bottom + 33}\">{HtmlReport.Escape(xLabel)}</text>"));
    }

    private static void AppendHorizontal(StringBuilder text, double at, string mark) => text.Append(CultureInfo.InvariantCulture,
        $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Right}\" y1=\"{at:0.#}\" y2=\"{at:0.#}\"/><text class=\"tick\" text-anchor=\"end\" "
            + $"x=\"{Left - 7}\" y=\"{at + 4:0.#}\">{mark}</text>");

    // More points than the chart has pixels only make the page heavy: each group keeps its lowest and highest.
    private static IReadOnlyList<(double X, double Y)> Thinned(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints)
            return points;
        var kept = new List<(double, double)>(MostPoints + 2);
        var size = (points.Count + MostPoints / 2 - 1) / (MostPoints / 2);
        for (var i = 0; i < points.Count; i += size)
        {
            var group = points.Skip(i).Take(size).ToList();
            kept.AddRange(new[] { group.MinBy(point => point.Y), group.MaxBy(point => point.Y) }.Distinct().OrderBy(point => point.X));
        }
        kept.Add(points[^1]);
        return kept;
    }
}
