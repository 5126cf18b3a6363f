using Handbook.Data.Store;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Loop;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Runs;

/// <summary>What is at hand when the loop has ended.</summary>
public sealed record FinishedRun(RunParts Parts, IOptimizer Optimizer, RunLog Log, ITrainingProgress Progress);

/// <summary>Writes what people expect in an output folder: model, tokenizer, results, state, pages.</summary>
public sealed class RunOutputs(RunOptions options, IReadOnlyList<RunPage> pages, TimeProvider clock)
{
    private readonly string output = options.Checkpoints.OutputDirectory;

    /// <summary>Saves the model first, then measures it, then tells the story.</summary>
    public RunResult Write(LoopOutcome outcome, FinishedRun run, CancellationToken stop)
    {
        run.Parts.Model.Save(output, run.Optimizer);
        run.Parts.Tokenizer.Save(output);
        var state = SaveTrainResults(outcome, run);
        MetricsRow? evaluation = null;
        if (options.Evaluation.AtEnd && run.Parts.Evaluator is { } evaluator)
        {
            evaluation = Measured(evaluator.Run(state.GlobalStep, state.Epoch ?? 0, run.Progress, stop), run.Parts.Data);
            run.Log.Write(evaluation);
            state = state with { LogHistory = state.LogHistory.Add(evaluation) };
            ResultFiles.Save(output, "eval", evaluation);
        }
        state.Save(Path.Combine(output, TrainerState.FileName));
        var summary = new RunSummary(options, state, RunFacts.OfData(run.Parts.Data), Versions(), clock.GetUtcNow());
        foreach (var page in pages)
            AtomicFile.WriteText(Path.Combine(output, page.FileName), page.Text(summary));
        run.Progress.Note($"the model is in {output}");
        return new RunResult(state, false, evaluation);
    }

    private TrainerState SaveTrainResults(LoopOutcome outcome, FinishedRun run)
    {
        var state = outcome.State;
        // A run that was stopped in its last evaluation has been told of already.
        if (outcome.Steps == 0 && ResultFiles.Load(output, "train") is { } before && before[MetricNames.TotalFlops] == state.TotalFlops)
            return state with { LogHistory = state.LogHistory.Add(before with { Step = state.GlobalStep }) };
        var samples = outcome.Steps * (double)options.Optimization.PerDeviceBatchSize * options.Optimization.GradientAccumulation;
        var seconds = Math.Max(outcome.Seconds, 1e-9);
        var results = MetricsRow.Of(state.GlobalStep, state.Epoch,
            (MetricNames.TotalFlops, state.TotalFlops),
            (MetricNames.TrainLoss, outcome.MeanLoss),
            (MetricNames.TrainRuntime, outcome.Seconds),
            (MetricNames.TrainSamples, run.Parts.Data.Train.ExampleCount),
            (MetricNames.TrainSamplesPerSecond, samples / seconds),
            (MetricNames.TrainStepsPerSecond, outcome.Steps / seconds));
        ResultFiles.Save(output, "train", results);
        run.Log.Write(results);
        return state with { LogHistory = state.LogHistory.Add(results) };
    }

    internal static MetricsRow Measured(MetricsRow row, TokenStore data) => row with
    {
        Values = row.Values.Add(new(MetricNames.EvaluationSamples, data.Evaluation!.ExampleCount)),
    };

    private static IReadOnlyList<(string Name, string Version)> Versions() =>
        [("handbook", Version()), (".NET", Environment.Version.ToString()), ("libtorch", LibtorchLibrary.Version.ToString())];

    internal static string Version() => typeof(RunOutputs).Assembly.GetName().Version?.ToString(3) ?? "0";
}
