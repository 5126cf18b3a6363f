using Handbook.Data.Packing;
using Handbook.Training.Artefacts;
using Handbook.Training.Objectives;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Schedules;

namespace Handbook.Training.Loop;

/// <summary>The parts that a run is made of; which ones is decided before, and the loop asks no further.</summary>
public sealed record LoopParts
{
    /// <summary>One optimizer step.</summary>
    public required TrainingStep Step { get; init; }

    /// <summary>Training rows.</summary>
    public required TrainingRows Rows { get; init; }

    /// <summary>Their order.</summary>
    public required BatchSchedule Batches { get; init; }

    /// <summary>The learning rate of every step.</summary>
    public required LearningRateSchedule LearningRate { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Floating-point operations of a training token.</summary>
    public required double FlopsPerToken { get; init; }

    /// <summary>Held-out measurement; null when nothing is held out.</summary>
    public Evaluator? Evaluator { get; init; }

    /// <summary>Where metrics go.</summary>
    public required RunLog Log { get; init; }

    /// <summary>Saves everything that a later process needs to go on from the given state.</summary>
    public required Action<TrainerState> Save { get; init; }

    /// <summary>Where time comes from.</summary>
    public required TimeProvider Clock { get; init; }
}

/// <summary>How a run ended.</summary>
/// <param name="State">The state after the last step.</param>
/// <param name="MeanLoss">Mean of the steps' losses since this process began.</param>
/// <param name="Seconds">Seconds that this process trained.</param>
/// <param name="Steps">Steps that this process did.</param>
/// <param name="Stopped">True when it was asked to stop before the end; it has saved.</param>
public sealed record LoopOutcome(TrainerState State, double MeanLoss, double Seconds, int Steps, bool Stopped);

/// <summary>Trains: take the step's batches, step, log, evaluate, save, until all steps are done or somebody asks to stop.</summary>
public sealed class TrainingLoop(RunOptions options, LoopParts parts, ITrainingProgress progress)
{
    private static readonly Dictionary<string, string> Words = new()
    {
        [MetricNames.RewardAccuracy] = "acc",
        [MetricNames.RewardMargin] = "margin",
        [MetricNames.Accuracy] = "acc",
        [MetricNames.Margin] = "margin",
    };

    private readonly MetricSums sinceLogged = new();
    private readonly StepClock pace = new(parts.Clock);
    private int savedStep;

    /// <summary>Runs from the state on (a fresh one, or a checkpoint's).</summary>
    /// <exception cref="TrainingDivergedException">Loss or gradient is not finite, or a weight that was to be saved.</exception>
    public LoopOutcome Run(TrainerState state, CancellationToken stop)
    {
        var start = parts.Clock.GetTimestamp();
        var firstStep = state.GlobalStep;
        var lossSum = 0.0;
        savedStep = firstStep;
        // An evaluation that a stop cut short is made up for: what is best must not depend on when somebody stopped.
        if (OwesEvaluation(state))
            state = Evaluate(state, stop);
        while (state.GlobalStep < parts.TotalSteps && !stop.IsCancellationRequested)
        {
            var step = state.GlobalStep;
            TokenBatch[] batches = [.. parts.Batches.MicroBatches(step).Select(rows => parts.Rows.Batch(rows))];
            var outcome = parts.Step.Run(step, parts.LearningRate.At(step), batches);
            lossSum += outcome.Loss;
            state = Advance(state, outcome);
            state = Report(state, outcome);
            if (OwesEvaluation(state))
                state = Evaluate(state, stop);
            state = SaveWhenDue(state);
            pace.Skip();
        }
        var stopped = state.GlobalStep < parts.TotalSteps || OwesEvaluation(state);
        if (stopped && state.GlobalStep > savedStep)
            Save(state);
        var steps = state.GlobalStep - firstStep;
        return new LoopOutcome(
            state, steps == 0 ? 0 : lossSum / steps, parts.Clock.GetElapsedTime(start).TotalSeconds, steps, stopped);
    }

    private TrainerState Advance(TrainerState state, StepOutcome outcome)
    {
        pace.Tick(outcome.TokenCount);
        sinceLogged.Add(MetricNames.Loss, outcome.Loss, 1);
        sinceLogged.Add(outcome.Metrics);
        var done = state.GlobalStep + 1;
        return state with
        {
            GlobalStep = done,
            Epoch = parts.Batches.EpochAfter(done),
            NumInputTokensSeen = state.NumInputTokensSeen + outcome.TokenCount,
            TotalFlops = state.TotalFlops + outcome.TokenCount * parts.FlopsPerToken,
        };
    }

    private TrainerState Report(TrainerState state, StepOutcome outcome)
    {
        var logged = IsDue(options.Logging.Strategy, options.Logging.Interval, state.GlobalStep)
            || (options.Logging.FirstStep && state.GlobalStep == 1)
            || (options.Logging.Strategy != IntervalStrategy.No && state.GlobalStep == parts.TotalSteps);
        progress.Step(new StepProgress
        {
            Step = state.GlobalStep,
            TotalSteps = parts.TotalSteps,
            Epoch = state.Epoch ?? 0,
            Loss = outcome.Loss,
            GradientNorm = outcome.GradientNorm,
            LearningRate = outcome.LearningRate,
            TokensPerSecond = pace.TokensPerSecond,
            Remaining = pace.Remaining(parts.TotalSteps - state.GlobalStep),
            Watched = Watched(outcome),
            IsLogged = logged,
        });
        if (!logged)
            return state;
        var means = sinceLogged.Means().ToList();
        sinceLogged.Clear();
        means.Insert(1, (MetricNames.GradientNorm, outcome.GradientNorm));
        means.Insert(2, (MetricNames.LearningRate, outcome.LearningRate));
        means.Add((MetricNames.TokenCount, state.NumInputTokensSeen));
        return Append(state, MetricsRow.Of(state.GlobalStep, state.Epoch, [.. means]));
    }

    private static IReadOnlyList<(string Name, double Value)> Watched(StepOutcome outcome) =>
        [.. outcome.Metrics.Means().Where(metric => Words.ContainsKey(metric.Name)).Select(metric => (Words[metric.Name], metric.Value))];

    /// <summary>True when the evaluation that belongs to the state's step was not made yet.</summary>
    private bool OwesEvaluation(TrainerState state)
    {
        var due = state.GlobalStep == 0
            ? options.Evaluation.AtStart
            : IsDue(options.Evaluation.Strategy, options.Evaluation.Interval, state.GlobalStep);
        return due && parts.Evaluator is not null
            && !state.LogHistory.Any(row => row.Step == state.GlobalStep && row[MetricNames.EvaluationLoss] is not null);
    }

    /// <summary>The state with the evaluation; as it was when somebody asked to stop in the middle of it.</summary>
    private TrainerState Evaluate(TrainerState state, CancellationToken stop)
    {
        MetricsRow row;
        try
        {
            row = parts.Evaluator!.Run(state.GlobalStep, state.Epoch ?? 0, progress, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return state;
        }
        progress.Note(
            $"evaluation after step {state.GlobalStep}: eval_loss {ProgressText.Number(row[MetricNames.EvaluationLoss] ?? double.NaN)}");
        return BestCheckpoint.Update(Append(state, row), row, options.Checkpoints);
    }

    private TrainerState Append(TrainerState state, MetricsRow row)
    {
        parts.Log.Write(row);
        return state with { LogHistory = state.LogHistory.Add(row) };
    }

    private TrainerState SaveWhenDue(TrainerState state)
    {
        var last = state.GlobalStep == parts.TotalSteps;
        var due = options.Checkpoints.Strategy == IntervalStrategy.Best
            ? state.BestGlobalStep == state.GlobalStep
            : IsDue(options.Checkpoints.Strategy, options.Checkpoints.Interval, state.GlobalStep)
                || (last && options.Checkpoints.Strategy != IntervalStrategy.No);
        state = state with { ShouldTrainingStop = last };
        if (due)
            Save(state);
        return state;
    }

    private void Save(TrainerState state)
    {
        parts.Save(state);
        savedStep = state.GlobalStep;
        progress.Note($"saved checkpoint-{state.GlobalStep}");
    }

    private bool IsDue(IntervalStrategy strategy, StepInterval interval, int step) => strategy switch
    {
        IntervalStrategy.Steps => interval.IsDue(step, parts.TotalSteps),
        IntervalStrategy.Epoch => step % parts.Batches.StepsPerEpoch == 0 || step == parts.TotalSteps,
        _ => false,
    };
}
