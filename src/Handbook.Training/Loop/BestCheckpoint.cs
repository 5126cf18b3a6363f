using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Loop;

/// <summary>Which evaluation was the best so far, by <c>metric_for_best_model</c>.</summary>
public static class BestCheckpoint
{
    /// <summary>The state with the evaluation's step as the best one, when it is.</summary>
    /// <exception cref="UserErrorException">The evaluation has no metric of that name.</exception>
    public static TrainerState Update(TrainerState state, MetricsRow evaluation, CheckpointOptions options)
    {
        var asked = options.MetricForBest ?? MetricNames.Loss;
        var name = asked.StartsWith(MetricNames.EvaluationPrefix, StringComparison.Ordinal) ? asked : MetricNames.EvaluationPrefix + asked;
        if (evaluation[name] is not { } value)
        {
            var known = evaluation.Values.Select(entry => entry.Key).ToList();
            throw new UserErrorException(
                $"metric_for_best_model: the evaluation has no {name}; it has {string.Join(", ", known)}.{NearestName.Hint(name, known)}");
        }
        var greater = options.GreaterIsBetter ?? !name.EndsWith("loss", StringComparison.Ordinal);
        var better = state.BestMetric is not { } best || (greater ? value > best : value < best);
        return better
            ? state with
            {
                BestMetric = value,
                BestGlobalStep = state.GlobalStep,
                BestModelCheckpoint = Path.Combine(options.OutputDirectory, $"checkpoint-{state.GlobalStep}"),
            }
            : state;
    }
}
