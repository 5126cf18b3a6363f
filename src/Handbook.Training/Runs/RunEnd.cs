using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Loop;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>What becomes of a run once its loop has ended: results, or a word on how it goes on.</summary>
/// <param name="options">What the run was told.</param>
/// <param name="pages">Pages about it.</param>
/// <param name="store">Its checkpoints.</param>
/// <param name="progress">Hears what happens.</param>
/// <param name="clock">Where time comes from.</param>
internal sealed class RunEnd(
    RunOptions options, IReadOnlyList<RunPage> pages, CheckpointStore store, ITrainingProgress progress, TimeProvider clock)
{
    /// <summary>
    /// Writes the results. What is stopped or fails here has all its steps behind it: they are kept, so that the same command does
    /// the rest.
    /// </summary>
    public RunResult Finish(
        LoopOutcome outcome, RunParts run, IOptimizer optimizer, RunLog log, Action<TrainerState> save, CancellationToken stop)
    {
        var tookBest = options.Checkpoints.LoadBestAtEnd && new BestModel(options, store, progress).Take(outcome.State, run, optimizer);
        void Keep()
        {
            if (!tookBest && !store.Steps().Contains(outcome.State.GlobalStep))
                save(outcome.State);
        }

        try
        {
            return new RunOutputs(options, pages, clock).Write(outcome, new FinishedRun(run, optimizer, log, progress), stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Keep();
            progress.Note($"stopped in the evaluation at the end: the model is in {options.Checkpoints.OutputDirectory}; the same command "
                + $"goes on {From(store.Steps(), outcome.State.GlobalStep)}");
            return new RunResult(outcome.State, true, null);
        }
        catch (NonFiniteWeightsException)
        {
            Keep();
            throw;
        }
    }

    /// <summary>Says how a run that was asked to stop goes on.</summary>
    public RunResult Stop(TrainerState state, int totalSteps)
    {
        progress.Note(state.GlobalStep == 0
            ? "stopped before the first step: there is nothing to save"
            : FormattableString.Invariant(
                $"stopped after step {state.GlobalStep} of {totalSteps}: the same command goes on from checkpoint-{state.GlobalStep}"));
        return new RunResult(state, true, null);
    }

    private static string From(IReadOnlyList<int> steps, int last) =>
        steps.Contains(last) ? "with the evaluation"
            : steps.Count > 0 ? FormattableString.Invariant($"from checkpoint-{steps[^1]}") : "from the beginning";
}
