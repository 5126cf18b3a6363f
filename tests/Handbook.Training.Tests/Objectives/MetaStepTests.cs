using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Generation;
using Handbook.TestSupport;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Training.Tests.Objectives;

/// <summary>
/// Whole steps on a device without elements: every operation has a road that is not the host's, and nothing is read but where
/// docs/architecture.md says.
/// </summary>
public sealed class MetaStepTests
{
    private static readonly ObjectiveCase NextToken = new("sft", RowKind.Pairs, parts => new NextTokenObjective(parts.Policy));

    public static TheoryData<string> Names => [NextToken.Name, .. ObjectiveCases.Names()];

    [Theory]
    [MemberData(nameof(Names))]
    public void Step_OfEveryObjective_WaitsForLossAndNormOnly(string name)
    {
        var entry = name == NextToken.Name ? NextToken : ObjectiveCases.Find(name);
        foreach (var precision in new[] { Precision.Float32, Precision.Bfloat16Mixed })
        {
            using var scope = new TensorScope();
            using var models = new SmallModels(precision == Precision.Float32 ? DType.Float32 : DType.BFloat16, Device.Meta);
            var objective = entry.Create(models.Packed);
            using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-3 }, precision,
                models.Parameters(entry.Kind), 1);
            var step = new TrainingStep(objective, models.Parameters(entry.Kind), optimizer, 1, 1);
            var rows = ObjectiveRun.Rows(entry.Kind, shared: true);
            using var waits = new DeviceWaitCount();

            step.Run(0, 1e-3, rows);

            Assert.Equal(new Dictionary<DeviceWait, int> { [DeviceWait.Loss] = rows.Length, [DeviceWait.GradientNorm] = 1 }, waits.Counts);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Evaluation_OfEveryObjective_WaitsOnceABatch(string name)
    {
        var entry = name == NextToken.Name ? NextToken : ObjectiveCases.Find(name);
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.Float32, Device.Meta);
        var rows = ObjectiveRun.Rows(entry.Kind, shared: true);
        var evaluator = new Evaluator(
            entry.Create(models.Packed), new TrainingRows(rows.Length, rows.Length, row => rows[row], row => rows[row].TokenCount),
            1, TimeProvider.System);
        using var waits = new DeviceWaitCount();

        evaluator.Run(0, 0, new SilentProgress(), CancellationToken.None);

        Assert.Equal(new Dictionary<DeviceWait, int> { [DeviceWait.Loss] = rows.Length }, waits.Counts);
    }

    [Fact]
    public void Step_WithDropoutNoiseRecomputationAndStochasticRounding_ReadsNothingElse()
    {
        using var scope = new TensorScope();
        using var models = new SmallModels(DType.BFloat16, Device.Meta);
        var policy = new CausalPolicy(models.Model, new ForwardOptions { Recompute = true, NeftuneAlpha = 5 });
        using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-3 },
            Precision.Bfloat16, models.Model.Parameters, 1);
        var step = new TrainingStep(new NextTokenObjective(policy), models.Model.Parameters, optimizer, 1, 1);
        using var waits = new DeviceWaitCount();

        step.Run(0, 1e-3, ObjectiveRun.Rows(RowKind.Pairs, shared: true)[..1]);

        Assert.Equal([DeviceWait.Loss, DeviceWait.GradientNorm], waits.Counts.Keys.Order());
    }

    [Fact]
    public void GenerationAndSaving_ReadLogitsAndWeightsOnly()
    {
        using var scope = new TensorScope();
        using var folder = new TemporaryFolder();
        using var models = new SmallModels(DType.Float32, Device.Meta);
        using var waits = new DeviceWaitCount();

        var results = new Generator(models.Model).Run([new GenerationRequest { Prompt = [1, 2, 3], MaxNewTokens = 4, SampleCount = 2 }]);
        models.Model.Save(folder.Path, DType.Float32);

        Assert.Equal(2, results[0].Length);
        Assert.Equal([DeviceWait.Predictions, DeviceWait.Weights], waits.Counts.Keys.Order());
    }
}
