using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Runs;

/// <summary>Whole runs in fp16 with a loss scale, and runs of every optimizer that were stopped and go on.</summary>
[Collection(nameof(RunCase))]
public sealed class Float16RunTests : IDisposable
{
    private readonly RunCase run = new();

    public void Dispose() => run.Dispose();

    [Fact]
    public void Execute_InFloat16_LearnsAsInFloat32AndLogsItsScale()
    {
        var wide = RunCase.Run(run.Options("wide")).State.LogHistory;
        var half = RunCase.Run(Half("half")).State.LogHistory;
        var losses = wide.Zip(half).Where(pair => pair.First[MetricNames.Loss] is not null).ToList();
        Assert.Equal(8, losses.Count);
        Assert.All(losses, pair => Assert.Equal(pair.First[MetricNames.Loss]!.Value, pair.Second[MetricNames.Loss]!.Value, 0.02));
        Assert.All(half.Where(row => row[MetricNames.Loss] is not null), row => Assert.Equal(65536, row[MetricNames.LossScale]));
        Assert.All(wide, row => Assert.Null(row[MetricNames.LossScale]));
    }

    [Fact]
    public void Execute_InFloat16WithAnOverflow_SkipsTheStepAndHalvesTheScale()
    {
        using var progress = new StoppingProgress(_ => false);
        var options = Half("steep") with { Model = Half("steep").Model with { NameOrPath = Steep() } };
        var result = RunCase.Run(options, progress);
        var skipped = progress.Notes.Where(note => note.Contains("beyond fp16", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(skipped);
        Assert.Equal("step 1: a gradient is beyond fp16, so nothing moved; the loss scale is 32768 now", skipped[0]);
        Assert.Equal(65536 / Math.Pow(2, skipped.Count),
            result.State.LogHistory.Last(row => row[MetricNames.Loss] is not null)[MetricNames.LossScale]);
        Assert.True(skipped.Count < 8, "no step was done");
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW, OptimizerStates.Blocks8Bit, Precision.Float32)]
    [InlineData(OptimizerKind.Lion, OptimizerStates.Blocks8Bit, Precision.Bfloat16Mixed)]
    [InlineData(OptimizerKind.RmsProp, OptimizerStates.Blocks8Bit, Precision.Bfloat16)]
    [InlineData(OptimizerKind.Adafactor, OptimizerStates.Float32, Precision.Bfloat16Mixed)]
    [InlineData(OptimizerKind.Muon, OptimizerStates.Float32, Precision.Bfloat16Mixed)]
    [InlineData(OptimizerKind.Muon, OptimizerStates.Float32, Precision.Float32)]
    [InlineData(OptimizerKind.AdamW, OptimizerStates.Float32, Precision.Float16Mixed)]
    public void Execute_StoppedInTheMiddle_GoesOnToTheSameBytes(OptimizerKind kind, OptimizerStates states, Precision precision)
    {
        RunOptions Of(string output) => run.Options(output) with
        {
            Model = new ModelOptions { NameOrPath = run.Chat.Policy, Precision = precision },
            Optimization = run.Options(output).Optimization with { Optimizer = kind, States = states },
            Evaluation = new EvaluationOptions(),
            Checkpoints = run.Options(output).Checkpoints with { Interval = new StepInterval(8) },
        };
        RunCase.Run(Of("whole"));
        using var progress = new StoppingProgress(what => what == "step 3");
        Assert.True(RunCase.Run(Of("stopped"), progress, progress.Token).Stopped);
        RunCase.Run(Of("stopped"));
        Assert.Equal(run.Weights("whole"), run.Weights("stopped"));
        Assert.Equal(Optimizer("whole"), Optimizer("stopped"));
    }

    private byte[] Optimizer(string output) =>
        File.ReadAllBytes(Path.Combine(run.Chat.File(output), "checkpoint-8", "optimizer.safetensors"));

    private RunOptions Half(string output) => run.Options(output) with
    {
        Model = new ModelOptions { NameOrPath = run.Chat.Policy, Precision = Precision.Float16Mixed },
    };

    /// <summary>The policy with logits sixteen times as large: so are the gradients behind them.</summary>
    private string Steep()
    {
        var folder = run.Chat.File("steep-policy");
        using (var model = CausalLanguageModel.Load(run.Chat.Policy, DType.Float32))
        {
            model.Parameters.First(parameter => parameter.Name == "model.norm.weight").Value.MultiplyInPlace(16);
            model.Save(folder, DType.Float32);
        }
        foreach (var file in Directory.GetFiles(run.Chat.Policy, "*token*"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return folder;
    }
}
