using System.Globalization;
using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Loop;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Schedules;

namespace Handbook.Training.Runs;

/// <summary>
/// One training run from options to output folder: everything that can be wrong is looked at before the first step, then the loop
/// runs, then results are written. The folder is the run's alone: while it lives by a lock, afterwards by what it wrote down.
/// </summary>
/// <param name="options">What it is told.</param>
/// <param name="pages">Pages about it that are written at its end.</param>
/// <param name="progress">Hears what happens.</param>
/// <param name="clock">Where time comes from.</param>
/// <param name="forecast">Says what it will need, before its first step; null for nobody.</param>
/// <param name="world">All ranks; null for this one alone.</param>
public sealed class TrainingRun(
    RunOptions options, IReadOnlyList<RunPage> pages, ITrainingProgress progress, TimeProvider clock, IRunForecast? forecast = null,
    World? world = null)
{
    private readonly string output = options.Checkpoints.OutputDirectory;
    private readonly TrainingMethod method = TrainingMethod.Of(options.Task);
    private readonly CheckpointStore store = new(options.Checkpoints.OutputDirectory, world);

    /// <summary>Trains, or goes on from the newest whole checkpoint; with <c>do_train: false</c> it only evaluates.</summary>
    /// <exception cref="UserErrorException">A mistake in the recipe, the data or the files, or the folder is another run's.</exception>
    /// <exception cref="TrainingDivergedException">Loss, gradient or a weight is not finite.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before its first step.</exception>
    public RunResult Execute(CancellationToken stop)
    {
        using var claim = OutputFolder.Claim(output);
        RunReference.Check(options);
        var folder = new RunFolder(options.Checkpoints, store, pages);
        if (!options.Checkpoints.Train)
            return new EvaluationRun(options, progress, clock).Execute(folder, store, stop);
        var resumed = Resume(options, folder, store, progress);
        options = options with { Model = RunPrecision.Settle(options.Model, resumed) };
        forecast?.Refuse(options);
        using var parts = Prepare(folder, resumed, stop);
        if (resumed is not null)
            ResumePoint.Announce(resumed, progress);
        var needs = forecast?.Facts(options, parts, progress) ?? [];
        using var optimizer = parts.Model.CreateOptimizer(options);
        return Train(parts, optimizer, needs, folder, resumed, stop);
    }

    /// <summary>Refuses a run whose folder is another run's or has more steps than asked for, as far as is known without data.</summary>
    /// <exception cref="UserErrorException">It is refused.</exception>
    public static void Refuse(RunOptions options, IReadOnlyList<RunPage> pages)
    {
        var store = new CheckpointStore(options.Checkpoints.OutputDirectory);
        var folder = new RunFolder(options.Checkpoints, store, pages);
        if (options.Checkpoints.Train)
            Resume(options, folder, store, new SilentProgress());
        else
            folder.RefuseEvaluation(RunIdentity.Of(options));
    }

    /// <summary>What decides a run's result, without running it.</summary>
    /// <exception cref="UserErrorException">A mistake in the recipe, the data or the files.</exception>
    public static RunIdentity Identify(RunOptions options, CancellationToken stop)
    {
        var tokenizer = RunTokenizer.Load(options);
        using var data = RunData.Prepare(options, tokenizer, RunVocabulary.Config(options, tokenizer).MaxPositions, new SilentProgress(),
            stop);
        return RunIdentity.Of(options, data.Train);
    }

    /// <summary>The checkpoint to go on from, null for none, once it is known that the folder is this run's.</summary>
    private static Checkpoint? Resume(RunOptions options, RunFolder folder, CheckpointStore store, ITrainingProgress progress)
    {
        var identity = RunIdentity.Of(options);
        folder.Refuse(identity);
        var resumed = ResumePoint.Find(options.Checkpoints, store, progress);
        folder.Refuse(identity, resumed);
        if (options.Optimization.MaxSteps is > 0 and var steps)
            RunFolder.RefuseFewerSteps(steps, "max_steps", resumed);
        return resumed;
    }

    private RunParts Prepare(RunFolder folder, Checkpoint? resumed, CancellationToken stop)
    {
        try
        {
            return RunParts.Open(options, folder, resumed, progress, clock, stop, world);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            progress.Note(resumed is null
                ? "stopped before the first step: there is nothing to save"
                : $"stopped before training went on: {Path.GetFileName(resumed.Folder)} is as it was");
            throw;
        }
    }

    private RunResult Train(RunParts run, IOptimizer optimizer, IReadOnlyList<(string, string)> needs, RunFolder folder,
        Checkpoint? resumed, CancellationToken stop)
    {
        var rows = method.Rows(run.Data.Train);
        var batches = RunBatches.Of(options, rows, world);
        var totalSteps = TrainingSteps.Total(batches.StepsPerEpoch, options.Optimization.Epochs, options.Optimization.MaxSteps ?? 0);
        RunFolder.RefuseFewerSteps(totalSteps, options.Optimization.MaxSteps > 0 ? "max_steps" : "num_train_epochs", resumed);
        var learningRate = LearningRateSchedule.Create(options.Optimization.Schedule, options.Optimization.LearningRate, totalSteps);
        var state = resumed is null ? FreshState(totalSteps) : Resumed(resumed, totalSteps, run, optimizer);
        folder.Take(run.Identity, isNew: resumed is null);
        using var log = OpenLog(state.GlobalStep);
        void Save(TrainerState saved)
        {
            store.Save(saved.GlobalStep, path => RunCheckpoint.Write(path, run, optimizer, saved));
            store.Rotate(options.Checkpoints.TotalLimit, options.Checkpoints.LoadBestAtEnd ? saved.BestGlobalStep : null);
        }

        var parts = new LoopParts
        {
            Step = new TrainingStep(run.Objective, run.Model.Trained.Parameters, optimizer, options.Optimization.MaxGradNorm,
                options.Seed, world),
            Rows = rows,
            Batches = batches,
            LearningRate = learningRate,
            TotalSteps = totalSteps,
            FlopsPerToken = 6.0 * run.Model.Model.ParameterCount,
            Evaluator = run.Evaluator,
            Log = log,
            Save = Save,
            Clock = clock,
        };
        progress.Begin(options.Task, [.. RunFacts.Of(options, run.Model, run.Data, batches, totalSteps), .. needs]);
        var outcome = Loop(parts, state, run, stop);
        progress.End();
        var end = new RunEnd(options, pages, store, progress, clock);
        return outcome.Stopped ? end.Stop(outcome.State, totalSteps) : end.Finish(outcome, run, optimizer, log, Save, stop);
    }

    /// <summary>The loop; a diverged run is told with the places of its examples.</summary>
    private LoopOutcome Loop(LoopParts parts, TrainerState state, RunParts run, CancellationToken stop)
    {
        try
        {
            return new TrainingLoop(options, parts, progress).Run(state, stop);
        }
        catch (TrainingDivergedException diverged)
        {
            foreach (var example in diverged.ExampleIds.Take(8))
                progress.Note($"example {example}: {run.Data.Describe(example)}");
            throw;
        }
    }

    private TrainerState Resumed(Checkpoint from, int totalSteps, RunParts run, IOptimizer optimizer)
    {
        var state = RunCheckpoint.Restore(from, run.Model.Trained, optimizer, run.Objective);
        if (state.GlobalStep == totalSteps)
        {
            var left = options.Evaluation.AtEnd && run.Evaluator is not null ? "train" : "do";
            progress.Note($"nothing left to {left}: all {Quantity.Of(totalSteps, "step")} are done");
            return BestCheckpoint.Recall(state with { MaxSteps = totalSteps }, options.Checkpoints);
        }
        if (state.MaxSteps != totalSteps
            && options.Optimization.Schedule.Kind is not (ScheduleKind.Constant or ScheduleKind.ConstantWithWarmup))
        {
            progress.Note(string.Create(CultureInfo.InvariantCulture,
                $"the run has {Quantity.Of(totalSteps, "step")} now, {state.MaxSteps} when {Path.GetFileName(from.Folder)} was saved: "
                    + $"from here on the learning rate follows the schedule of {totalSteps}"));
        }
        return BestCheckpoint.Recall(state with { MaxSteps = totalSteps }, options.Checkpoints);
    }

    private TrainerState FreshState(int totalSteps) => new()
    {
        MaxSteps = totalSteps,
        NumTrainEpochs = (int)Math.Ceiling(options.Optimization.Epochs),
        TrainBatchSize = options.Optimization.PerDeviceBatchSize,
        LoggingSteps = options.Logging.Interval.Value,
        EvalSteps = options.Evaluation.Interval.Value,
        SaveSteps = options.Checkpoints.Interval.Value,
    };

    private RunLog OpenLog(int resumedStep)
    {
        var (sinks, owned) = RunSinks.Open(options.Logging, output, resumedStep, clock, progress.Note);
        return new RunLog(sinks, owned, world);
    }
}
