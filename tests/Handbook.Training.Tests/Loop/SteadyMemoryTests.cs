using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.TestModels;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Tests.Optimizers;

namespace Handbook.Training.Tests.Loop;

/// <summary>Tensors and memory are counted for the whole process, so these tests run alone.</summary>
[Collection(nameof(ProcessWideSettings))]
public sealed class SteadyMemoryTests
{
    [Theory]
    [InlineData(Precision.Bfloat16Mixed, false)]
    [InlineData(Precision.Bfloat16Mixed, true)]
    [InlineData(Precision.Float32, false)]
    [InlineData(Precision.Bfloat16, false)]
    public void TrainingStep_TwoHundredSteps_GrowsNeitherTensorsNorMemory(Precision precision, bool recompute)
    {
        var dtype = precision == Precision.Float32 ? DType.Float32 : DType.BFloat16;
        using var model = CausalLanguageModel.Create(TinyShape.Config(), 1, dtype);
        using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-4 }, precision, model.Parameters, 1);
        var policy = new CausalPolicy(model, new ForwardOptions { Recompute = recompute });
        var step = new TrainingStep(new NextTokenObjective(policy), model.Parameters, optimizer, 1, 1);
        var random = new RandomStream(3);
        var live = 0L;
        var memory = new List<long>();
        for (var i = 0; i < 200; i++)
        {
            // Lengths differ from step to step, as in a real run.
            var lengths = Enumerable.Range(0, 4).Select(j => 3 + (int)(random.Bits((ulong)(i * 4 + j)) % 40)).ToArray();
            var ids = Enumerable.Range(0, lengths.Sum()).Select(j => (int)(random.Bits((ulong)(1000 + i * 400 + j)) % 2048)).ToArray();
            var mask = new bool[ids.Length];
            Array.Fill(mask, true);
            step.Run(i, 1e-4, [new TokenBatch(ids, mask, SequenceLayout.Documents(lengths), [0, 1, 2, 3])]);
            if (i == 50)
                live = Tensor.LiveCount;
            if (i % 50 == 49)
            {
                // Managed memory is the collector's affair; what is counted is what tensors and kernels take.
                GC.Collect();
                memory.Add(Environment.WorkingSet - GC.GetGCMemoryInfo().TotalCommittedBytes);
            }
        }
        Assert.Equal(live, Tensor.LiveCount);
        // What leaks does so in every stretch of steps; what the runtime takes for itself does not.
        Assert.InRange(memory.Zip(memory.Skip(1), (before, after) => after - before).Min(), long.MinValue, 4_000_000);
    }
}
