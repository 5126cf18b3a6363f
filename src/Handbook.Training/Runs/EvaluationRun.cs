using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary><c>do_train: false</c>: measures a model on the evaluation rows; no step is taken and no weight written.</summary>
internal sealed class EvaluationRun(RunOptions options, ITrainingProgress progress, TimeProvider clock)
{
    public RunResult Execute(RunFolder folder, CheckpointStore store, CancellationToken stop)
    {
        folder.RefuseEvaluation(RunIdentity.Of(options));
        var asked = options.Checkpoints.ResumeFrom is not null || options.Checkpoints.MustResume;
        var from = asked ? ResumePoint.Find(options.Checkpoints, store, progress) : null;
        options = options with { Model = RunPrecision.Settle(options.Model, from) };
        using var run = RunParts.Open(options, folder, from, progress, clock, stop);
        if (run.Evaluator is not { } evaluator)
            throw new UserErrorException("do_train: false: there is nothing to evaluate on; name the split with dataset_test_split, or "
                + "set a mixture's rows aside with test_split_size.");
        var state = from is null ? new TrainerState() : RunCheckpoint.RestoreWeights(from, run.Model.Trained, run.Objective);
        progress.Begin("evaluation", RunFacts.OfEvaluation(options, run.Model, run.Data));
        var row = RunOutputs.Measured(evaluator.Run(state.GlobalStep, state.Epoch ?? 0, progress, stop), run.Data);
        progress.End();
        Directory.CreateDirectory(options.Checkpoints.OutputDirectory);
        ResultFiles.Save(options.Checkpoints.OutputDirectory, "eval", row);
        foreach (var (name, value) in row.Values)
            progress.Note($"{name} {ProgressText.Number(value)}");
        return new RunResult(state, false, row);
    }
}
