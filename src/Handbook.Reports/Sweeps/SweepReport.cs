using System.Globalization;
using Handbook.Training.Artefacts;

namespace Handbook.Reports.Sweeps;

/// <summary>A sweep's results side by side: a table for the terminal, and a page with plots.</summary>
/// <param name="Results">The runs, in the order of the grid.</param>
public sealed record SweepReport(IReadOnlyList<SweepResult> Results)
{
    // What tells runs of one sweep apart comes first; other metrics follow as they were logged.
    private static readonly string[] First =
    [
        MetricNames.RewardAccuracy, MetricNames.Accuracy, MetricNames.RewardMargin, MetricNames.Margin, MetricNames.Loss,
        MetricNames.ChosenReward, MetricNames.RejectedReward,
    ];
    private static readonly string[] Plotted =
    [
        MetricNames.RewardAccuracy, MetricNames.Accuracy, MetricNames.RewardMargin, MetricNames.Margin, MetricNames.Loss,
    ];

    private const string Seed = "seed";

    // Two-sided 95 % quantiles of Student's t, from 1 degree of freedom.
    private static readonly double[] StudentT =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];

    private IReadOnlyList<string> Keys => [.. Results[0].Settings.Select(setting => setting.Key)];

    /// <summary>The metrics that are shown: those that every run has.</summary>
    public IReadOnlyList<string> Metrics => [.. First.Select(Named).OfType<string>()];

    /// <summary>Column names of the table.</summary>
    public IReadOnlyList<string> Columns => [.. Keys, .. Metrics];

    /// <summary>A row for every run.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows =>
    [
        .. Results.Select(run => (IReadOnlyList<string>)[.. run.Settings.Select(setting => setting.Value),
            .. Metrics.Select(metric => Text(run[metric]))]),
    ];

    /// <summary>
    /// Where the sweep repeats runs over <c>seed</c>: mean and half-width of the 95 % confidence interval (Student's t) for each
    /// combination of the other keys; null where it does not.
    /// </summary>
    public ReportTable? OverSeeds()
    {
        var groups = Results.GroupBy(run => string.Join(", ",
                run.Settings.Where(setting => setting.Key != Seed).Select(setting => $"{setting.Key} {setting.Value}")))
            .Select(group => (group.Key, Runs: group.ToList())).ToList();
        if (!Keys.Contains(Seed) || groups.Any(group => group.Runs.Count < 2))
            return null;
        return new ReportTable
        {
            Title = "Over seeds",
            Note = "Mean and half-width of the 95 % confidence interval (Student's t).",
            Columns = ["runs", "seeds", .. Metrics],
            Rows =
            [
                .. groups.Select(group => (IReadOnlyList<string>)
                [
                    group.Key.Length > 0 ? group.Key : "all", group.Runs.Count.ToString(CultureInfo.InvariantCulture),
                    .. Metrics.Select(metric => MeanWithInterval([.. group.Runs.Select(run => run[metric]!.Value)])),
                ]),
            ],
        };
    }

    /// <summary>The page.</summary>
    /// <param name="title">Its heading.</param>
    /// <param name="footer">Versions and date.</param>
    public RunReport ToPage(string title, string footer)
    {
        var best = (Named(MetricNames.RewardAccuracy) ?? Named(MetricNames.Accuracy)) is { } accuracy ? Results.MaxBy(run => run[accuracy])
            : Named(MetricNames.Loss) is { } loss ? Results.MinBy(run => run[loss]) : null;
        return new RunReport
        {
            Title = title,
            Subtitle =
                $"{Quantity.Of(Results.Count, "run")} over {string.Join(" and ", Keys)}; everything else is the same in all of them.",
            Headlines = best is null ? [] : [new Headline("Best run", best.Name, $"{Metrics[0]} {Text(best[Metrics[0]])}")],
            Overview =
            [
                .. Plotted.Select(Named).OfType<string>().Select(Plot),
                .. OverSeeds() is { } seeds ? (ReadOnlySpan<ReportBlock>)[seeds] : [],
                new ReportTable { Title = "All runs", Columns = Columns, Rows = Rows },
            ],
            Footer = footer,
        };
    }

    /// <summary>
    /// Curves over the last key whose values are numbers, one for each combination of the others, seeds averaged; bars where there is
    /// none. A seed is no quantity.
    /// </summary>
    private ReportBlock Plot(string metric)
    {
        var axis = Enumerable.Range(0, Keys.Count)
            .LastOrDefault(i => Keys[i] != Seed && Results.All(run => Number(run.Settings[i].Value) is not null), -1);
        if (axis < 0)
        {
            return new BarChart
            {
                Title = metric,
                Series = [metric],
                Groups = [.. Results.Select(run => (Label(run, _ => true), (IReadOnlyList<double?>)[run[metric]]))],
            };
        }
        var groups = Results.GroupBy(run => Label(run, i => i != axis && Keys[i] != Seed));
        return new LineChart
        {
            Title = metric,
            XLabel = Keys[axis],
            Series =
            [
                .. groups.Select(group => new Series(group.Key.Length > 0 ? group.Key : metric,
                    [
                        .. group.GroupBy(run => Number(run.Settings[axis].Value)!.Value, run => run[metric] ?? double.NaN)
                            .Select(point => (point.Key, point.Average())).OrderBy(point => point.Key),
                    ],
                    IsSparse: true)),
            ],
        };
    }

    private string Label(SweepResult run, Func<int, bool> isNamed) => string.Join(", ",
        Enumerable.Range(0, Keys.Count).Where(isNamed)
            .Select(i => Keys[i] == Seed ? $"{Seed} {run.Settings[i].Value}" : run.Settings[i].Value));

    private static string MeanWithInterval(double[] values)
    {
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        var t = values.Length - 2 < StudentT.Length ? StudentT[values.Length - 2] : 1.96;
        return $"{Text(mean)} ± {Text(t * deviation / Math.Sqrt(values.Length))}";
    }

    private string? Named(string metric) =>
        new[] { MetricNames.EvaluationPrefix + metric, metric }.FirstOrDefault(name => Results.All(run => run[name] is not null));

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static string Text(double? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "";
}
