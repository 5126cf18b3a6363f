using System.Text.Json;
using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.Torch;
using Handbook.Training.Objectives;
using Handbook.Training.Objectives.Preference;
using Handbook.Training.Options;
using Handbook.Training.Progress;

namespace Handbook.Benchmarks.Tests;

public sealed class PairBenchmarkTests
{
    [Fact]
    public void Loss_PaddedPackedAndShared_HaveOneLossAndOneGradient()
    {
        using var model = CausalLanguageModel.Create(ModelShape.Find("tiny"), 1, DType.Float32);
        var policy = new CausalPolicy(model, ForwardOptions.Default);
        PreferencePair[] pairs =
        [
            new([3, 4, 5, 6], [7, 8, 9], [10], 0), new([11], [12, 13], [14, 15, 16, 17, 18], 1), new([], [20, 21, 22], [23, 24], 2),
        ];
        var (padded, paddedGradients) = Differentiate(model,
            tape => new PaddedPairs(policy, new NoReference(), new LossSettings()).Loss(tape, pairs, 0));
        foreach (var rows in new[] { pairs.Select(pair => pair.ToSequences()), pairs.Select(pair => pair.ToSharedPrefix()) })
        {
            var batch = TokenBatch.Concatenate([.. rows]);
            var (loss, gradients) = Differentiate(model, tape =>
            {
                var objective = new PreferenceObjective(policy, new NoReference(), new PreferenceOptions());
                return objective.Begin([batch], StepTotals.Of([batch])).Compute(tape, batch).Loss;
            });
            Assert.Equal(padded, loss, 1e-5);
            foreach (var (expected, actual) in paddedGradients.Zip(gradients))
            {
                var scale = expected.Max(Math.Abs);
                Assert.True(expected.Zip(actual).All(value => Math.Abs(value.First - value.Second) <= 1e-5 * scale + 1e-9));
            }
        }
    }

    [Fact]
    public void Run_TinyShapeOnRealPairs_MeasuresEveryWay()
    {
        var file = Path.Combine(Path.GetTempPath(), $"handbook-pairs-{Guid.NewGuid()}.jsonl");
        File.WriteAllLines(file, Enumerable.Range(0, 12).Select(i => JsonSerializer.Serialize(new
        {
            prompt = $"What is {i} plus {i}, and why do you think so?",
            chosen = $"It is {2 * i}, since two equal numbers double.",
            rejected = $"No idea, {i}.",
        })));
        try
        {
            var result = PairBenchmark.Run(new PairBenchmarkOptions("tiny", file, null, 2, 64, Precision.Float32, 3, WithMatrixRate: false),
                TimeBudget.Unlimited(), CancellationToken.None);
            Assert.Equal(3, result.Batches.Count);
            Assert.Equal(6, result.PairCount);
            Assert.True(result.Tokens(PairVariant.Shared) < result.Tokens(PairVariant.Packed));
            Assert.True(result.Tokens(PairVariant.Packed) <= result.Tokens(PairVariant.Padded));
            Assert.All(Enum.GetValues<PairVariant>(), variant => Assert.True(result.PairsPerSecond(variant) > 0));
            // Without any time left one micro-batch is measured, and no more.
            var brief = PairBenchmark.Run(
                new PairBenchmarkOptions("tiny", file, null, 2, 64, Precision.Float32, 3, WithMatrixRate: false),
                new TimeBudget(TimeProvider.System, TimeSpan.Zero, new SilentProgress()), CancellationToken.None);
            Assert.Single(brief.Batches);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void MedianSpeedup_OneSlowMeasurement_DoesNotMoveIt()
    {
        var result = new PairBenchmarkResult
        {
            Batches =
            [
                new PairBatchTimes(2, [30, 20, 10], [3, 2, 1], [3, 2, 1], 0, 0),
                new PairBatchTimes(2, [90, 60, 40], [8, 6, 4], [8, 6, 4], 0, 0),
                new PairBatchTimes(2, [30, 20, 10], [50, 2, 1], [4, 2, 1], 0, 0),
            ],
            Tokenizer = "",
            FileTokens = [300, 200, 100],
            OptimizerSeconds = 0,
            StoreSeconds = 0,
            MatrixFlops = 1,
            ModelBytes = 0,
            Operations = [],
        };
        Assert.Equal(61.0 / 6, result.Speedup(PairVariant.Shared, PairVariant.Padded), 1e-12);
        Assert.Equal(2.5, result.Allowed(PairVariant.Shared, PairVariant.Padded));
        // Shares of what tokens allow: 1, 8/9 and 50/3.
        Assert.Equal(2.5, result.MedianSpeedup(PairVariant.Shared, PairVariant.Padded), 1e-12);
        Assert.Equal(2.5, result.ProcessorSpeedup(PairVariant.Shared, PairVariant.Padded));
        Assert.Equal(3, result.FileAllows(PairVariant.Shared, PairVariant.Padded));
    }

    private static (double Loss, List<float[]> Gradients) Differentiate(CausalLanguageModel model, Func<Tape, Variable> of)
    {
        using var scope = new TensorScope();
        using var tape = new Tape();
        var loss = of(tape);
        tape.Backward(loss);
        var gradients = model.Parameters.Select(parameter => parameter.Grad!.ToArray<float>()).ToList();
        foreach (var parameter in model.Parameters)
            parameter.ZeroGrad();
        return (loss.Value.Item(), gradients);
    }
}
