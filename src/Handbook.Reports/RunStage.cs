using System.Globalization;
using Handbook.Reports.ModelCards;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Reports;

/// <summary>Makes a report, or one stage of it, out of a finished run.</summary>
public static class RunStage
{
    /// <summary>The stage of a run: what it was told, its curves.</summary>
    /// <param name="title">The stage's heading.</param>
    /// <param name="description">What happens in it.</param>
    /// <param name="options">What the run was told.</param>
    /// <param name="log">Every row that it logged.</param>
    /// <param name="facts">What else a reader wants to know: parameters, tokens, time.</param>
    public static ReportStage Of(
        string title, string description, RunOptions options, IReadOnlyList<MetricsRow> log,
        IReadOnlyList<(string Name, string Value)> facts) => new()
        {
            Title = title,
            Description = description,
            Facts = [.. facts, .. Hyperparameters.Of(options)],
            Blocks = RunCurves.Of(log),
        };

    /// <summary>The report of a run on its own.</summary>
    public static RunReport Report(RunOptions options, TrainerState state, IReadOnlyList<(string Name, string Value)> facts, string footer)
    {
        var task = options.Task.ToString().ToLowerInvariant();
        var name = Path.GetFileName(Path.GetFullPath(options.Checkpoints.OutputDirectory).TrimEnd(Path.DirectorySeparatorChar));
        return new RunReport
        {
            Title = options.Logging.RunName ?? name,
            Subtitle = $"handbook {task}, {state.GlobalStep} of {Quantity.Of(state.MaxSteps, "step")}",
            Headlines = [.. Headlines(state)],
            Stages = [Of(task, "", options, state.LogHistory, facts)],
            Footer = footer,
        };
    }

    private static IEnumerable<Headline> Headlines(TrainerState state)
    {
        var log = state.LogHistory;
        if (Ends(log, MetricNames.Loss) is var (firstLoss, lastLoss))
            yield return new("Training loss", Text(lastLoss), $"from {Text(firstLoss)}");
        if (Ends(log, MetricNames.EvaluationLoss) is var (firstEvaluation, lastEvaluation))
            yield return new("Evaluation loss", Text(lastEvaluation), $"first {Text(firstEvaluation)}");
        if (Ends(log, MetricNames.RewardAccuracy) is var (_, accuracy))
            yield return new("Reward accuracy", accuracy.ToString("0.0 %", CultureInfo.InvariantCulture), "pairs told apart");
        if (state.NumInputTokensSeen > 0)
            yield return new("Tokens", ProgressText.Count(state.NumInputTokensSeen), $"{state.Epoch ?? 0:0.##} epochs");
        if (Ends(log, MetricNames.TrainRuntime) is var (_, seconds))
            yield return new("Time", ProgressText.Time(TimeSpan.FromSeconds(seconds)), "training only");
    }

    private static (double First, double Last)? Ends(IReadOnlyList<MetricsRow> log, string metric)
    {
        var values = log.Select(row => row[metric]).OfType<double>().ToList();
        return values.Count > 0 ? (values[0], values[^1]) : null;
    }

    private static string Text(double loss) => loss.ToString("0.0000", CultureInfo.InvariantCulture);
}
