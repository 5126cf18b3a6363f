using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Text.Tokenizers;
using Handbook.Training.Artefacts;
using Handbook.Training.Checkpoints;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Schedules;

namespace Handbook.Training.Runs;

/// <summary>
/// One training run from options to output folder: everything that can be wrong is looked at before the first step, then the loop
/// runs, then results are written.
/// </summary>
public sealed class TrainingRun(RunOptions options, ITrainingProgress progress, TimeProvider clock)
{
    private readonly string output = options.Checkpoints.OutputDirectory;
    private readonly TrainingMethod method = TrainingMethod.Of(options.Task);

    /// <summary>Trains, or goes on from the newest whole checkpoint.</summary>
    /// <exception cref="UserErrorException">A mistake in the recipe, the data or the files.</exception>
    /// <exception cref="TrainingDivergedException">Loss or gradient is not finite.</exception>
    public RunResult Execute(CancellationToken stop)
    {
        OutputFolder.CheckWritable(output);
        RunReference.Check(options);
        var store = new CheckpointStore(output);
        var resumed = ResumePoint.Find(options.Checkpoints, store, progress);
        var tokenizer = RunTokenizer.Load(options);
        using var model = RunModel.Open(options, method, tokenizer, progress);
        using var data = RunData.Prepare(options, tokenizer, model.Model.Config.MaxPositions, progress, stop);
        using var reference = RunReference.Open(options, method, model, data, progress, clock, stop);
        tokenizer = RunData.Taught(options, tokenizer, data);
        CheckTokenIds(data, model.Model.Config.VocabularySize);
        using var optimizer = model.CreateOptimizer(options);

        var rows = method.Rows(data.Train);
        var batches = new BatchSchedule(
            rows.Count, options.Optimization.PerDeviceBatchSize, options.Optimization.GradientAccumulation, options.Data.OrderSeed ?? options.Seed,
            !options.Data.DisableShuffle, options.Sequences.DropLastBatch, options.Sequences.GroupByLength ? rows.Lengths() : null);
        var totalSteps = TrainingSteps.Total(batches.StepsPerEpoch, options.Optimization.Epochs, options.Optimization.MaxSteps ?? 0);
        var objective = method.Objective(new MethodParts(model.Model, options, reference.Logps));
        var state = resumed is null ? FreshState(totalSteps) : RunCheckpoint.Restore(resumed, model.Model, optimizer, objective);
        state = state with { MaxSteps = totalSteps };

        using var log = OpenLog(state.GlobalStep);
        var evaluator = data.Evaluation is { RowCount: > 0 } held
            ? new Evaluator(objective, method.Rows(held), options.Evaluation.PerDeviceBatchSize, clock)
            : null;
        var parts = new LoopParts
        {
            Step = new TrainingStep(objective, model.Model.Parameters, optimizer, options.Optimization.MaxGradNorm, options.Seed),
            Rows = rows,
            Batches = batches,
            LearningRate = LearningRateSchedule.Create(options.Optimization.Schedule, options.Optimization.LearningRate, totalSteps),
            TotalSteps = totalSteps,
            FlopsPerToken = 6.0 * model.Model.ParameterCount,
            Evaluator = evaluator,
            Log = log,
            Save = saved => Save(store, saved, model.Model, tokenizer, optimizer, objective),
            Clock = clock,
        };
        progress.Begin(options.Task.ToString().ToLowerInvariant(), RunFacts.Of(options, model.Model, data, batches, totalSteps));
        var outcome = Train(parts, state, data, stop);
        progress.End();
        if (!outcome.Stopped && options.Checkpoints.LoadBestAtEnd)
            TakeBest(outcome.State, model, optimizer, objective);
        return outcome.Stopped
            ? new RunResult(outcome.State, true, null)
            : new RunOutputs(options, clock).Write(outcome, new FinishedRun(model, tokenizer, optimizer, data, evaluator, log, progress), stop);
    }

    /// <summary>An id without an embedding would read beyond the table: said before the first step, with its place.</summary>
    private static void CheckTokenIds(TokenStore data, int vocabularySize)
    {
        if (data.Manifest.LargestTokenId >= vocabularySize)
        {
            throw new UserErrorException(FormattableString.Invariant(
                $"{data.Manifest.LargestTokenIdExample}: token id {data.Manifest.LargestTokenId} has no embedding; the model has {vocabularySize}"));
        }
    }

    /// <summary>The loop; a diverged run is told with the places of its examples.</summary>
    private LoopOutcome Train(LoopParts parts, TrainerState state, TokenStore data, CancellationToken stop)
    {
        try
        {
            return new TrainingLoop(options, parts, progress).Run(state, stop);
        }
        catch (TrainingDivergedException diverged)
        {
            foreach (var example in diverged.ExampleIds.Take(8))
                progress.Note($"example {example}: {data.Describe(example)}");
            throw;
        }
    }

    /// <summary>The model that the evaluations liked best takes the place of the last one.</summary>
    private void TakeBest(TrainerState state, RunModel model, IOptimizer optimizer, IObjective objective)
    {
        if (state.BestModelCheckpoint is not { } best || !Directory.Exists(best))
        {
            progress.Note($"load_best_model_at_end: the best evaluation, after step {state.BestGlobalStep}, has no checkpoint; the last model stays. Let save_steps and eval_steps be the same.");
            return;
        }
        RunCheckpoint.Restore(CheckpointStore.Open(best), model.Model, optimizer, objective);
        progress.Note(FormattableString.Invariant($"the best model is of step {state.BestGlobalStep} ({options.Checkpoints.MetricForBest ?? MetricNames.Loss} {state.BestMetric:0.0000})"));
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
        Directory.CreateDirectory(output);
        var (sinks, owned) = RunSinks.Open(options.Logging, output, resumedStep, clock);
        return new RunLog(sinks, owned);
    }

    private void Save(CheckpointStore store, TrainerState state, IPretrainedModel model, Tokenizer tokenizer, IOptimizer optimizer, IObjective objective)
    {
        store.Save(state.GlobalStep, folder => RunCheckpoint.Write(folder, model, tokenizer, optimizer, objective, state));
        store.Rotate(options.Checkpoints.TotalLimit, options.Checkpoints.LoadBestAtEnd ? state.BestGlobalStep : null);
    }
}
