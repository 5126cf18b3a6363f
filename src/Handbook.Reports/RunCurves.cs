using Handbook.Training.Artefacts;

namespace Handbook.Reports;

/// <summary>Turns a run's logged metrics into charts: those that belong together share one.</summary>
public static class RunCurves
{
    // Two curves with those of the evaluation are as many as a chart shows in colours of their own.
    private const int MostWithTwins = 2;

    private static readonly (string Title, string[] Metrics)[] Groups =
    [
        ("Loss", [MetricNames.Loss]),
        ("Token accuracy", [MetricNames.TokenAccuracy]),
        ("Rewards", [MetricNames.ChosenReward, MetricNames.RejectedReward]),
        ("Reward margins", [MetricNames.RewardMargin]),
        ("Reward accuracy", [MetricNames.RewardAccuracy]),
        ("Accuracy", [MetricNames.Accuracy]),
        ("Margin", [MetricNames.Margin]),
        ("Scores", [MetricNames.MaxReward, MetricNames.MeanReward, MetricNames.MinReward]),
        ("Log-probabilities", [MetricNames.ChosenLogps, MetricNames.RejectedLogps]),
        ("Logits", [MetricNames.ChosenLogits, MetricNames.RejectedLogits]),
        ("Entropy", [MetricNames.Entropy]),
        ("Gradient norm", [MetricNames.GradientNorm]),
        ("Learning rate", [MetricNames.LearningRate]),
    ];

    private static readonly string[] Unshown =
        [MetricNames.TokenCount, MetricNames.TrainLoss, MetricNames.TrainRuntime, MetricNames.TrainSamples, MetricNames.TotalFlops,
         MetricNames.TrainSamplesPerSecond, MetricNames.TrainStepsPerSecond, MetricNames.EvaluationRuntime, MetricNames.EvaluationSamples,
         MetricNames.EvaluationSamplesPerSecond, MetricNames.EvaluationStepsPerSecond];

    /// <summary>
    /// Charts in a fixed order, then one for every other metric by name. Metrics of fewer than two points make none on their own.
    /// </summary>
    public static IReadOnlyList<ReportBlock> Of(IReadOnlyList<MetricsRow> log)
    {
        var known = Groups.SelectMany(group => group.Metrics).Concat(Unshown).Select(Measured).ToHashSet(StringComparer.Ordinal);
        var others = log.SelectMany(row => row.Values).Select(value => Measured(value.Key)).Where(name => !known.Contains(name))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(name => (Title: name, Metrics: new[] { name }));
        var charts = new List<ReportBlock>();
        foreach (var (title, metrics) in Groups.Concat(others))
        {
            var twins = metrics.Length <= MostWithTwins ? metrics.Select(metric => MetricNames.EvaluationPrefix + metric) : [];
            var series = metrics.Concat(twins).Select(metric => Curve(log, metric)).Where(curve => curve.Points.Count > 0).ToList();
            if (series.Any(curve => curve.Points.Count > 1))
                charts.Add(new LineChart { Title = title, Series = series });
        }
        return charts;
    }

    /// <summary>What a metric measures, on training data or held-out ones.</summary>
    private static string Measured(string metric) =>
        metric.StartsWith(MetricNames.EvaluationPrefix, StringComparison.Ordinal) ? metric[MetricNames.EvaluationPrefix.Length..] : metric;

    private static Series Curve(IReadOnlyList<MetricsRow> log, string metric) => new(
        metric,
        [.. log.Where(row => row[metric] is { } value && double.IsFinite(value)).Select(row => ((double)row.Step, row[metric]!.Value))],
        IsSparse: metric.StartsWith(MetricNames.EvaluationPrefix, StringComparison.Ordinal));
}
