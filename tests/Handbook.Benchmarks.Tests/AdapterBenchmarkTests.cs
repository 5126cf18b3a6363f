using Handbook.Autograd.Quantization;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;

namespace Handbook.Benchmarks.Tests;

public sealed class AdapterBenchmarkTests
{
    private static readonly AdapterBenchmarkOptions Tiny = new("tiny", 40, 1, 4, Precision.Float32, Recompute: false, Steps: 1);

    [Fact]
    public void Run_EveryKind_IsMeasuredAgainstTheFirst()
    {
        var result = AdapterBenchmark.Run(Tiny with { Kinds = AdapterBenchmark.Kinds }, TimeBudget.Unlimited());
        Assert.Equal(AdapterBenchmark.Kinds, result.Timings.Select(timing => timing.Name));
        Assert.Equal(1, result.Timings[0].Ratio);
        Assert.All(result.Timings, timing => Assert.NotEmpty(timing.Operations));
        var trained = result.Timings.ToDictionary(timing => timing.Name, timing => timing.TrainedCount);
        Assert.Equal(trained["lora"], trained["qlora"]);
        Assert.True(trained["lora"] < trained["dora"] && trained["dora"] < trained["whole"]);
    }

    [Fact]
    public void Run_UnknownKind_IsRefusedWithTheNearestName() => Assert.Contains("qlora",
        Assert.Throws<UserErrorException>(() => AdapterBenchmark.Run(Tiny with { Kinds = ["qlor"] }, TimeBudget.Unlimited())).Message,
        StringComparison.Ordinal);

    [Fact]
    public void TwentySteps_OfAnAdapterAroundCodes_LeaveEveryByteOfTheCodes()
    {
        var codes = new QuantizationConfig { Format = CodeFormat.NormalFloat4, DoubleQuantization = true };
        using var model = CausalLanguageModel.Create(ModelShape.Find("tiny"), 1, DType.Float32, quantization: codes);
        var lora = new LoraConfig { Rank = 4, Alpha = 8, TargetModules = ModulePattern.OfText(ModulePattern.AllLinear, "test") };
        using var adapter = Adapter.Create(model, lora, 1, "test");
        using var optimizer = OptimizerTable.Create(
            new OptimizationOptions { LearningRate = 1e-2 }, Precision.Float32, adapter.Parameters, 1);
        var step = new TrainingStep(
            new NextTokenObjective(new CausalPolicy(model, ForwardOptions.Default)), adapter.Parameters, optimizer,
            maxGradNorm: 1, seed: 1);
        int[] tokens = [.. Enumerable.Range(0, 40).Select(i => i * 7 % 50)];
        var batch = new TokenBatch(tokens, [.. tokens.Select(_ => true)], SequenceLayout.Documents([40]), [0]);
        var before = Bytes(model);
        Assert.NotEmpty(before);
        var losses = Enumerable.Range(0, 20).Select(i => step.Run(i, 1e-2, [batch]).Loss).ToList();

        Assert.True(losses[^1] < losses[0] - 1, $"{losses[0]} to {losses[^1]}");
        Assert.Equal(before, Bytes(model));
    }

    /// <summary>Codes and scales of every matrix.</summary>
    private static List<byte[]> Bytes(CausalLanguageModel model) =>
        [.. model.Slots.SelectMany(slot => slot.Weight.Quantized).SelectMany(weight => weight.Parts)
            .SelectMany(part => new[] { part.Codes, part.Scales.Values, part.Scales.Nested!.Scales })
            .Select(tensor => Data(tensor).ToArray())];

    private static unsafe ReadOnlySpan<byte> Data(Tensor tensor) => new(tensor.Pointer, (int)tensor.ByteCount);
}
