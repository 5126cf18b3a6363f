using Handbook.Autograd.Kernels;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;
using Handbook.Training.Checkpoints;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Training.Tests.Runs;

/// <summary>The machine chooses once; a run that goes on keeps its numbers.</summary>
public sealed class RunPrecisionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(Precision.Bfloat16Mixed)]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.Bfloat16)]
    public void Of_AskedFor_IsObeyedOnEveryMachine(Precision asked) => Assert.Equal(asked, RunPrecision.Of(Wish(asked), null));

    [Fact]
    public void Of_LeftToTheMachine_FollowsWhatWasMeasuredOnce()
    {
        var expected = BFloat16Speed.IsFast ? Precision.Bfloat16Mixed : Precision.Float32;
        Assert.Equal(expected, RunPrecision.Of(Wish(Precision.Auto), null));
        Assert.Equal(expected, RunPrecision.Of(Wish(Precision.Auto), null));
        Assert.InRange(BFloat16Speed.Ratio, 0.01, 100);
    }

    [Theory]
    [InlineData(DType.BFloat16, "model.safetensors", Precision.Bfloat16Mixed)]
    [InlineData(DType.Float32, "model.safetensors", Precision.Float32)]
    [InlineData(DType.BFloat16, "adapter_model.safetensors", Precision.Bfloat16Mixed)]
    [InlineData(DType.Float32, "adapter_model.safetensors", Precision.Float32)]
    public void Of_ARunThatGoesOn_KeepsTheNumbersOfItsCheckpoint(DType stored, string file, Precision expected)
    {
        if (file != "model.safetensors")
            File.WriteAllText(folder.File("adapter_config.json"), "{}");
        using (var scope = new TensorScope())
            SafetensorsWriter.Write(folder.File(file), [new NamedTensor("w", Tensor.Zeros([2, 2], stored))]);

        Assert.Equal(expected, RunPrecision.Of(Wish(Precision.Auto), new Checkpoint(folder.Path, 4)));
    }

    private static ModelOptions Wish(Precision precision) => new() { Precision = precision };

    [Fact]
    public void Words_SayWhoChose()
    {
        var machine = BFloat16Speed.IsFast ? Precision.Bfloat16Mixed : Precision.Float32;
        var other = BFloat16Speed.IsFast ? Precision.Float32 : Precision.Bfloat16Mixed;

        Assert.Equal("float32", RunPrecision.Words(new ModelOptions { Precision = Precision.Float32 }));
        Assert.EndsWith(RunPrecision.Speed(),
            RunPrecision.Words(RunPrecision.Settle(new ModelOptions { Precision = Precision.Auto }, null)), StringComparison.Ordinal);
        Assert.EndsWith(", as in the checkpoint", RunPrecision.Words(new ModelOptions { Precision = other, IsMachinesPrecision = true }),
            StringComparison.Ordinal);
        Assert.DoesNotContain("as asked for", RunPrecision.Words(new ModelOptions { Precision = machine }), StringComparison.Ordinal);
    }

    [Fact]
    public void Identity_OfARunThatLeavesItToTheMachine_IsTheSameOnEveryMachine()
    {
        var options = new RunOptions
        {
            Task = "sft",
            Model = new ModelOptions { Precision = Precision.Auto },
            Data = new DataOptions { Sources = [] },
            Optimization = new OptimizationOptions { LearningRate = 1 },
            Checkpoints = new CheckpointOptions { OutputDirectory = folder.Path },
        };
        var settled = options with { Model = RunPrecision.Settle(options.Model, null) };

        Assert.Empty(RunIdentity.Of(settled).DifferencesFrom(RunIdentity.Of(options)));
    }
}
