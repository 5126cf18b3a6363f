using Handbook.Autograd;
using Handbook.Data.Packing;
using Handbook.Models;
using Handbook.TestModels;
using Handbook.TestSupport;
using Handbook.Torch;
using Handbook.Training.Artefacts;
using Handbook.Training.Loop;
using Handbook.Training.Objectives;
using Handbook.Training.Optimizers;
using Handbook.Training.Options;
using Handbook.Training.Progress;
using Handbook.Training.Runs;

namespace Handbook.Training.Tests.Loop;

/// <summary>Whole runs of a tiny model on text with something to learn in it.</summary>
[Collection(nameof(Runs.RunCase))]
public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Execute_TinyModel_LowersTheLossOnAHeldOutTenth()
    {
        using var chat = new TinyChat();
        var text = MadeText.Sentences(5000).ToArray();
        File.WriteAllLines(folder.File("train.txt"), text[..4500]);
        File.WriteAllLines(folder.File("test.txt"), text[4500..]);
        Environment.SetEnvironmentVariable("HANDBOOK_CACHE", folder.File("cache"));
        var options = new RunOptions
        {
            Task = "cpt",
            Model = new ModelOptions { NameOrPath = chat.Policy, Precision = Precision.Float32 },
            Data = new DataOptions
            {
                Sources = [new DatasetSource(folder.File("train.txt"), null, "train", null, 1)],
                TestSource = new DatasetSource(folder.File("test.txt"), null, "train", null, 1),
                MaxEvalSamples = 100,
            },
            Sequences = new SequenceOptions
            {
                MaxLength = 128, Packing = PackingStrategy.BestFitSplit, EvaluationPacking = PackingStrategy.BestFitSplit,
            },
            Optimization = new OptimizationOptions { LearningRate = 1e-3, MaxSteps = 200, PerDeviceBatchSize = 8 },
            Evaluation = new EvaluationOptions { AtStart = true, AtEnd = true, PerDeviceBatchSize = 16 },
            Checkpoints = new CheckpointOptions { OutputDirectory = folder.File("out"), Strategy = IntervalStrategy.No },
            Logging = new LoggingOptions { ReportTo = ["jsonl"] },
        };

        var result = new TrainingRun(options, [new RunPage("page.txt", run => $"{run.State.GlobalStep} steps")], new SilentProgress(),
            TimeProvider.System).Execute(CancellationToken.None);

        var losses = result.State.LogHistory.Select(row => row[MetricNames.EvaluationLoss]).OfType<double>().ToList();
        Assert.True(losses[^1] < losses[0] - 1.0, $"eval_loss {losses[0]} before, {losses[^1]} after 200 steps");
        foreach (var name in new[] { "config.json", "model.safetensors", "tokenizer.json", "trainer_state.json", "train_results.json",
            "eval_results.json", "all_results.json", "page.txt", "metrics.jsonl" })
            Assert.True(File.Exists(Path.Combine(folder.File("out"), name)), name);
        Assert.Equal("200 steps", File.ReadAllText(folder.File("out/page.txt")));
    }

    [Fact]
    public void Run_LossThatIsNoNumber_NamesStepAndExamplesAndKeepsTheWeights()
    {
        using var model = CausalLanguageModel.Create(TinyShape.Config(), 1, DType.Float32);
        using var optimizer = OptimizerTable.Create(new OptimizationOptions { LearningRate = 1e-4 }, Precision.Float32,
            model.Parameters, 1);
        var step = new TrainingStep(new NextTokenObjective(new CausalPolicy(model, ForwardOptions.Default)), model.Parameters, optimizer,
            1, 1);
        model.Parameters[0].Value.Span<float>()[5 * 256] = float.NaN;
        var before = model.Parameters[1].Value.ToArray<float>();

        var error = Assert.Throws<TrainingDivergedException>(() =>
            step.Run(6, 1e-4, [new TokenBatch([4, 5, 6], [true, true, true], SequenceLayout.Documents([3]), [41])]));

        Assert.StartsWith("step 7: loss is NaN; examples 41. ", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, model.Parameters[1].Value.ToArray<float>());
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Forward_OneDocumentOfAPackedRowChanged_LeavesEveryOtherDocumentsLogitsToTheBit(DType dtype)
    {
        using var model = CausalLanguageModel.Create(TinyShape.Config(), 1, dtype);
        int[] lengths = [70, 3, 129, 18, 1, 40];
        var random = new RandomStream(9);
        var ids = Enumerable.Range(0, lengths.Sum()).Select(i => (int)(random.Bits((ulong)i) % 2048)).ToArray();
        for (var changed = 0; changed < lengths.Length; changed++)
        {
            var other = ids.ToArray();
            var start = lengths.Take(changed).Sum();
            for (var i = start; i < start + lengths[changed]; i++)
                other[i] = (other[i] + 1) % 2048;
            var (first, second) = (Logits(ids), Logits(other));
            for (var token = 0; token < ids.Length; token++)
            {
                var inside = token >= start && token < start + lengths[changed];
                Assert.Equal(!inside, first.AsSpan(token * 2048, 2048).SequenceEqual(second.AsSpan(token * 2048, 2048)));
            }
        }

        float[] Logits(int[] tokens)
        {
            using var scope = new TensorScope();
            using var tape = new Tape(isRecording: false);
            return model.Forward(tape, tokens, SequenceLayout.Documents(lengths)).Value
                .MatMul(model.Head.Weight.Lease().Value.Transpose(0, 1)).ToArray<float>();
        }
    }
}
