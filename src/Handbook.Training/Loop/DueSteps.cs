using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Loop;

/// <summary>After which steps a run logs, evaluates and saves.</summary>
/// <param name="options">What it is told.</param>
/// <param name="parts">How many steps there are, in all and in an epoch, and whether anything is held out.</param>
internal sealed class DueSteps(RunOptions options, LoopParts parts)
{
    /// <summary>True when metrics are logged after so many steps.</summary>
    internal bool IsLogged(int step) => IsDue(options.Logging.Strategy, options.Logging.Interval, step)
        || (options.Logging.FirstStep && step == 1)
        || (options.Logging.Strategy != IntervalStrategy.No && step == parts.TotalSteps);

    /// <summary>True when the evaluation that belongs to the state's step was not made yet.</summary>
    internal bool OwesEvaluation(TrainerState state)
    {
        var due = state.GlobalStep == 0
            ? options.Evaluation.AtStart
            : IsDue(options.Evaluation.Strategy, options.Evaluation.Interval, state.GlobalStep);
        return due && parts.Evaluator is not null
            && !state.LogHistory.Any(row => row.Step == state.GlobalStep && row[MetricNames.EvaluationLoss] is not null);
    }

    /// <summary>True when a checkpoint of the state is kept.</summary>
    internal bool IsSaved(TrainerState state) => options.Checkpoints.Strategy == IntervalStrategy.Best
        ? state.BestGlobalStep == state.GlobalStep
        : IsDue(options.Checkpoints.Strategy, options.Checkpoints.Interval, state.GlobalStep)
            || (state.GlobalStep == parts.TotalSteps && options.Checkpoints.Strategy != IntervalStrategy.No);

    private bool IsDue(IntervalStrategy strategy, StepInterval interval, int step) => strategy switch
    {
        IntervalStrategy.Steps => interval.IsDue(step, parts.TotalSteps),
        IntervalStrategy.Epoch => step % parts.Batches.StepsPerEpoch == 0 || step == parts.TotalSteps,
        _ => false,
    };
}
