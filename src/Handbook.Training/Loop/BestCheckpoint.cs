using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Loop;

/// <summary>Which evaluation was the best so far, by <c>metric_for_best_model</c>.</summary>
public static class BestCheckpoint
{
    /// <summary>Looks before the first step whether evaluations will have the metric.</summary>
    /// <exception cref="UserErrorException">They won't; the nearest names are told.</exception>
    public static void CheckMetric(CheckpointOptions options, Evaluator evaluator, CancellationToken stop)
    {
        if (options.MetricForBest is null)
            return;
        var name = Name(options);
        var known = evaluator.FindNames(name, stop);
        if (!known.Contains(name))
        {
            throw new UserErrorException(
                $"metric_for_best_model: evaluations here have no {name}; they have "
                + $"{string.Join(", ", known)}.{NearestName.Hint(name, known)}");
        }
    }

    /// <summary>The state with the evaluation's step as the best one, when it is.</summary>
    public static TrainerState Update(TrainerState state, MetricsRow evaluation, CheckpointOptions options)
    {
        var name = Name(options);
        // A set with one verdict only may lack a metric that another evaluation had.
        if (evaluation[name] is not { } value || double.IsNaN(value))
            return state;
        var greater = options.GreaterIsBetter ?? !name.EndsWith("loss", StringComparison.Ordinal);
        var better = state.BestMetric is not { } best || (greater ? value > best : value < best);
        return better
            ? state with
            {
                BestMetric = value,
                BestGlobalStep = evaluation.Step,
                BestModelCheckpoint = Path.Combine(options.OutputDirectory, $"checkpoint-{evaluation.Step}"),
            }
            : state;
    }

    /// <summary>
    /// The best of all evaluations so far as these options see it: the folder may have another name now, and another metric may count.
    /// </summary>
    public static TrainerState Recall(TrainerState state, CheckpointOptions options) =>
        state.LogHistory.Where(row => row[MetricNames.EvaluationLoss] is not null).Aggregate(
            state with { BestMetric = null, BestGlobalStep = null, BestModelCheckpoint = null }, (so, row) => Update(so, row, options));

    private static string Name(CheckpointOptions options)
    {
        var asked = options.MetricForBest ?? MetricNames.Loss;
        return asked.StartsWith(MetricNames.EvaluationPrefix, StringComparison.Ordinal) ? asked : MetricNames.EvaluationPrefix + asked;
    }
}
