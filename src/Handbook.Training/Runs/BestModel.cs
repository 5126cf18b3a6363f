using System.Globalization;
using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>The model that the evaluations liked best, in place of the last one.</summary>
/// <param name="options">The run.</param>
/// <param name="store">Its checkpoints: the best one is found by its step, wherever the folder lies now.</param>
/// <param name="progress">Hears which it is.</param>
public sealed class BestModel(RunOptions options, CheckpointStore store, ITrainingProgress progress)
{
    /// <summary>Puts its weights in place; false when there are none, and the last model stays.</summary>
    public bool Take(TrainerState state, RunParts run, IOptimizer optimizer)
    {
        if (Find(state) is not { } best)
        {
            progress.Note(state.BestGlobalStep is { } step
                ? string.Create(CultureInfo.InvariantCulture,
                    $"load_best_model_at_end: the best evaluation, after step {step}, has no checkpoint; the last model stays. Let "
                        + $"save_steps and eval_steps be the same.")
                : "load_best_model_at_end: nothing was evaluated; the last model stays.");
            return false;
        }
        RunCheckpoint.Restore(best, run.Model.Trained, optimizer, run.Objective);
        progress.Note(string.Create(CultureInfo.InvariantCulture,
            $"the best model is of step {state.BestGlobalStep} "
                + $"({options.Checkpoints.MetricForBest ?? MetricNames.Loss} {state.BestMetric:0.0000})"));
        return true;
    }

    /// <summary>A run that went on in another folder than the one it began in may have its best checkpoint there.</summary>
    private Checkpoint? Find(TrainerState state)
    {
        if (state.BestGlobalStep is not { } step)
            return null;
        var folders = new[] { store.FolderOf(step),
            options.Checkpoints.ResumeFrom is { } from
                ? new CheckpointStore(Path.GetDirectoryName(Path.GetFullPath(from.TrimEnd('/')))!).FolderOf(step) : null };
        return folders.OfType<string>().FirstOrDefault(Directory.Exists) is { } folder ? CheckpointStore.Open(folder) : null;
    }
}
