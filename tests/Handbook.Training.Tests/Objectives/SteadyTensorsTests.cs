using Handbook.Data.Packing;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Tests.Optimizers;

namespace Handbook.Training.Tests.Objectives;

/// <summary>Tensors are counted for the whole process, so these tests run alone.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class SteadyTensorsTests
{
    private const int WarmUp = 3;

    public static TheoryData<string> Objectives() => ObjectiveCases.Names();

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Run_FewSteps_LeavesNoTensorBehind(string name) => Check(name, steps: 4);

    [Theory]
    [InlineData("dpo mixture")]
    [InlineData("dpo use_weighting rpo_alpha")]
    [InlineData("orpo")]
    [InlineData("cpo simpo")]
    [InlineData("unpaired kto")]
    [InlineData("unpaired bco")]
    [InlineData("reward centred")]
    public void Run_FiftySteps_LeavesNoTensorBehind(string name) => Check(name, steps: 50);

    private static void Check(string name, int steps)
    {
        var entry = ObjectiveCases.Find(name);
        using var models = new SmallModels(DType.Float32);
        var parameters = models.Parameters(entry.Kind);
        using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-4 }, Precision.Float32, parameters, 1);
        var step = new TrainingStep(entry.Create(models.Packed), parameters, optimizer, maxGradNorm: 1, seed: 1);
        var rows = ObjectiveRun.Rows(entry.Kind, shared: true);
        TokenBatch[] batches = [TokenBatch.Concatenate(rows[..3]), TokenBatch.Concatenate(rows[3..])];
        var live = 0L;
        for (var i = 0; i < WarmUp + steps; i++)
        {
            step.Run(i, 1e-4, batches);
            if (i == WarmUp - 1)
                live = Tensor.LiveCount;
        }
        Assert.Equal(live, Tensor.LiveCount);
    }
}
