using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Runs;

/// <summary>
/// A run that is asked to stop, wherever it is, keeps what can be continued, says what is true, and ends as if nobody had asked.
/// </summary>
[Collection(nameof(RunCase))]
public sealed class StoppedRunTests : IDisposable
{
    private readonly RunCase run = new();

    public void Dispose() => run.Dispose();

    [Theory]
    [InlineData("evaluation 2", 4, "saved checkpoint-4", "stopped after step 4 of 8: the same command goes on from checkpoint-4")]
    [InlineData("step 3", 3, "saved checkpoint-3", "stopped after step 3 of 8: the same command goes on from checkpoint-3")]
    public void Execute_StoppedInTheMiddle_SavesAndGoesOnToTheSameEnd(string at, int step, params string[] said)
    {
        RunCase.Run(run.Options("whole"));
        using var progress = new StoppingProgress(what => what == at);

        var stopped = RunCase.Run(run.Options("stopped"), progress, progress.Token);

        Assert.True(stopped.Stopped);
        Assert.Equal(said, progress.Notes.TakeLast(said.Length));
        Assert.Equal([$"checkpoint-{step}"], Checkpoints("stopped"));
        var resumed = RunCase.Run(run.Options("stopped"));
        Assert.False(resumed.Stopped);
        Assert.Equal(run.Weights("whole"), run.Weights("stopped"));
        Assert.Equal([4, 8], resumed.State.LogHistory.Where(row => row[MetricNames.EvaluationLoss] is not null).Select(row => row.Step));
    }

    [Theory]
    [InlineData(IntervalStrategy.No)]
    [InlineData(IntervalStrategy.Steps)]
    public void Execute_StoppedInTheEvaluationAtTheEnd_KeepsTheLastStepAndDoesTheEvaluationAlone(IntervalStrategy saves)
    {
        RunOptions Of(string output) => run.Options(output) with
        {
            Evaluation = new EvaluationOptions { AtEnd = true, PerDeviceBatchSize = 4 },
            Checkpoints = run.Options(output).Checkpoints with { Strategy = saves },
        };
        RunCase.Run(Of("whole"));
        using var progress = new StoppingProgress(what => what == "evaluation 3");

        Assert.True(RunCase.Run(Of("stopped"), progress, progress.Token).Stopped);
        Assert.EndsWith("the same command goes on with the evaluation", progress.Notes[^1], StringComparison.Ordinal);
        Assert.Equal(["checkpoint-8"], Checkpoints("stopped"));
        var trained = File.ReadAllText(Path.Combine(run.Chat.File("stopped"), "train_results.json"));

        using var watching = new StoppingProgress(_ => false);
        var resumed = RunCase.Run(Of("stopped"), watching);
        Assert.NotNull(resumed.FinalEvaluation?[MetricNames.EvaluationLoss]);
        Assert.Equal(run.Weights("whole"), run.Weights("stopped"));
        Assert.Equal(trained, File.ReadAllText(Path.Combine(run.Chat.File("stopped"), "train_results.json")));
    }

    [Fact]
    public void Execute_StoppedWhilePreparing_SaysThatNothingWasSavedAndLeavesNoFolder()
    {
        using var progress = new StoppingProgress(what => what.StartsWith("preparing data", StringComparison.Ordinal));

        Assert.ThrowsAny<OperationCanceledException>(() => RunCase.Run(run.Options("stopped"), progress, progress.Token));

        Assert.Equal("stopped before the first step: there is nothing to save", progress.Notes[^1]);
        Assert.False(Directory.Exists(run.Chat.File("stopped")));
    }

    [Fact]
    public void Execute_StoppedInTheEvaluationBeforeTheFirstStep_SavesNoCheckpoint()
    {
        var options = run.Options("stopped") with { Evaluation = new EvaluationOptions { AtStart = true, PerDeviceBatchSize = 4 } };
        using var progress = new StoppingProgress(what => what == "evaluation 1");

        Assert.True(RunCase.Run(options, progress, progress.Token).Stopped);

        Assert.Equal("stopped before the first step: there is nothing to save", progress.Notes[^1]);
        Assert.Empty(Checkpoints("stopped"));
        Assert.False(RunCase.Run(options).Stopped);
    }

    [Fact]
    public void Execute_MovedFolder_FindsItsBestCheckpointByStep()
    {
        RunOptions Of(string output, bool best) => run.Options(output) with
        {
            Checkpoints = run.Options(output).Checkpoints with
            {
                Interval = new StepInterval(4), LoadBestAtEnd = best, GreaterIsBetter = true,
            },
        };
        using var progress = new StoppingProgress(what => what == "step 6");
        RunCase.Run(Of("before", best: false), progress, progress.Token);
        Directory.Move(run.Chat.File("before"), run.Chat.File("after"));

        var result = RunCase.Run(Of("after", best: true));

        Assert.Equal(4, result.State.BestGlobalStep);
        Assert.Equal(File.ReadAllBytes(Path.Combine(run.Chat.File("after"), "checkpoint-4", "model.safetensors")), run.Weights("after"));
        Assert.Equal(Path.Combine(run.Chat.File("after"), "checkpoint-4"), result.State.BestModelCheckpoint);
    }

    private string[] Checkpoints(string output) =>
    [
        .. Directory.GetDirectories(run.Chat.File(output), "checkpoint-*").Select(folder => Path.GetFileName(folder)!)
            .Order(StringComparer.Ordinal),
    ];
}
