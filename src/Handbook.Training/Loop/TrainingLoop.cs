using Handbook.Data.Packing;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Loop;

/// <summary>Trains: take the step's batches, step, log, evaluate, save, until all steps are done or somebody asks to stop.</summary>
public sealed class TrainingLoop(RunOptions options, LoopParts parts, ITrainingProgress progress)
{
    private readonly DueSteps due = new(options, parts);
    private readonly StepReport report = new(parts, progress);
    private int savedStep;

    /// <summary>Runs from the state on (a fresh one, or a checkpoint's).</summary>
    /// <exception cref="TrainingDivergedException">Loss or gradient is not finite, or a weight that was to be saved.</exception>
    public LoopOutcome Run(TrainerState state, CancellationToken stop)
    {
        savedStep = state.GlobalStep;
        // An evaluation that a stop cut short is made up for: what is best must not depend on when somebody stopped.
        state = EvaluateWhenDue(state, stop);
        while (state.GlobalStep < parts.TotalSteps && !stop.IsCancellationRequested)
        {
            var step = state.GlobalStep;
            TokenBatch[] batches = [.. parts.Batches.MicroBatches(step).Select(rows => parts.Rows.Batch(rows))];
            var outcome = parts.Step.Run(step, parts.LearningRate.At(step), batches);
            state = Advance(state, outcome);
            state = report.Step(state, outcome, due.IsLogged(state.GlobalStep));
            state = EvaluateWhenDue(state, stop);
            state = SaveWhenDue(state);
            report.EndStep();
        }
        var stopped = state.GlobalStep < parts.TotalSteps || due.OwesEvaluation(state);
        if (stopped && state.GlobalStep > savedStep)
            Save(state);
        return report.Outcome(state, stopped);
    }

    private TrainerState Advance(TrainerState state, StepOutcome outcome) => state with
    {
        GlobalStep = state.GlobalStep + 1,
        Epoch = parts.Batches.EpochAfter(state.GlobalStep + 1),
        NumInputTokensSeen = state.NumInputTokensSeen + outcome.TokenCount,
        TotalFlops = state.TotalFlops + outcome.TokenCount * parts.FlopsPerToken,
    };

    /// <summary>The state with the evaluation; as it was when somebody asked to stop in the middle of it.</summary>
    private TrainerState EvaluateWhenDue(TrainerState state, CancellationToken stop)
    {
        if (!due.OwesEvaluation(state))
            return state;
        try
        {
            var row = parts.Evaluator!.Run(state.GlobalStep, state.Epoch ?? 0, progress, stop);
            return BestCheckpoint.Update(report.Evaluation(state, row), row, options.Checkpoints);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return state;
        }
    }

    private TrainerState SaveWhenDue(TrainerState state)
    {
        state = state with { ShouldTrainingStop = state.GlobalStep == parts.TotalSteps };
        if (due.IsSaved(state))
            Save(state);
        return state;
    }

    private void Save(TrainerState state)
    {
        parts.Save(state);
        savedStep = state.GlobalStep;
        progress.Note($"saved checkpoint-{state.GlobalStep}");
    }
}
