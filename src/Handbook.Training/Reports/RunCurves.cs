using Handbook.Training.Artefacts;

namespace Handbook.Training.Reports;

/// <summary>Turns a run's logged metrics into charts: those that belong together share one.</summary>
public static class RunCurves
{
    private static readonly (string Title, string[] Metrics)[] Groups =
    [
        ("Loss", [MetricNames.Loss, MetricNames.EvaluationLoss]),
        ("Token accuracy", [MetricNames.TokenAccuracy, MetricNames.EvaluationPrefix + MetricNames.TokenAccuracy]),
        ("Rewards", [MetricNames.ChosenReward, MetricNames.RejectedReward]),
        ("Reward margins", [MetricNames.RewardMargin, MetricNames.EvaluationPrefix + MetricNames.RewardMargin]),
        ("Reward accuracy", [MetricNames.RewardAccuracy, MetricNames.EvaluationPrefix + MetricNames.RewardAccuracy]),
        ("Accuracy", [MetricNames.Accuracy, MetricNames.EvaluationPrefix + MetricNames.Accuracy]),
        ("Margin", [MetricNames.Margin, MetricNames.EvaluationPrefix + MetricNames.Margin]),
        ("Scores", [MetricNames.MaxReward, MetricNames.MeanReward, MetricNames.MinReward]),
        ("Log-probabilities", [MetricNames.ChosenLogps, MetricNames.RejectedLogps]),
        ("Gradient norm", [MetricNames.GradientNorm]),
        ("Learning rate", [MetricNames.LearningRate]),
    ];

    private static readonly string[] Unshown =
        [MetricNames.TokenCount, MetricNames.TrainLoss, MetricNames.TrainRuntime, MetricNames.TrainSamples, MetricNames.TotalFlops,
         MetricNames.TrainSamplesPerSecond, MetricNames.TrainStepsPerSecond, MetricNames.EvaluationRuntime, MetricNames.EvaluationSamples,
         MetricNames.EvaluationSamplesPerSecond, MetricNames.EvaluationStepsPerSecond];

    /// <summary>Charts in a fixed order, then one for every other metric by name. Metrics of fewer than two points make none on their own.</summary>
    public static IReadOnlyList<ReportBlock> Of(IReadOnlyList<MetricsRow> log)
    {
        var known = Groups.SelectMany(group => group.Metrics).Concat(Unshown).ToHashSet(StringComparer.Ordinal);
        var others = log.SelectMany(row => row.Values).Select(value => value.Key).Where(name => !known.Contains(name))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(name => (Title: name, Metrics: new[] { name }));
        var charts = new List<ReportBlock>();
        foreach (var (title, metrics) in Groups.Concat(others))
        {
            var series = metrics.Select(metric => Curve(log, metric)).Where(curve => curve.Points.Count > 0).ToList();
            if (series.Any(curve => curve.Points.Count > 1))
                charts.Add(new LineChart { Title = title, Series = series });
        }
        return charts;
    }

    private static Series Curve(IReadOnlyList<MetricsRow> log, string metric) => new(
        metric,
        [.. log.Where(row => row[metric] is { } value && double.IsFinite(value)).Select(row => ((double)row.Step, row[metric]!.Value))],
        IsSparse: metric.StartsWith(MetricNames.EvaluationPrefix, StringComparison.Ordinal));
}
