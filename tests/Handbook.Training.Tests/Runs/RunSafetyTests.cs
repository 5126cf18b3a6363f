using Handbook.Data.Sources;
using Handbook.Models;
using Handbook.Models.Safetensors;
using Handbook.Torch;
using Handbook.Training.Loop;
using Handbook.Training.Options;
using Handbook.Training.Runs;

namespace Handbook.Training.Tests.Runs;

/// <summary>What a run never does: save a weight that is no number, wait until a mistake of the recipe shows, share its folder.</summary>
[Collection(nameof(RunCase))]
public sealed class RunSafetyTests : IDisposable
{
    private readonly RunCase run = new();

    public void Dispose() => run.Dispose();

    public static TheoryData<ScheduleKind> Schedules() => [.. Enum.GetValues<ScheduleKind>()];

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Execute_LearningRateZero_LeavesEveryWeightUnderEverySchedule(ScheduleKind kind)
    {
        var options = Short("still") with
        {
            Optimization = new OptimizationOptions
            {
                LearningRate = 0, MaxSteps = 2, PerDeviceBatchSize = 2,
                Schedule = new ScheduleOptions
                {
                    Kind = kind, WarmupSteps = 1, DecaySteps = 1, MinLearningRate = kind == ScheduleKind.CosineWithMinLr ? 0 : null,
                },
            },
        };

        RunCase.Run(options);

        Assert.Equal(File.ReadAllBytes(Path.Combine(run.Chat.Policy, "model.safetensors")), run.Weights("still"));
    }

    [Fact]
    public void Execute_OutputBesideData_IsNeverReadAsData()
    {
        RunCase.Run(run.Options("out") with { Logging = new LoggingOptions { ReportTo = ["csv"] } });
        var folder = run.Chat.File("out");
        Assert.Contains("no data file", Assert.Throws<UserErrorException>(() => DatasetFolder.Open(folder, null)).Message,
            StringComparison.Ordinal);

        File.Copy(run.Text, Path.Combine(folder, "rows.jsonl"));
        Assert.Equal(["rows.jsonl"], DatasetFolder.Open(folder, null).Files("train").Select(Path.GetFileName));
    }

    /// <summary>The first step's update is beyond float32: the loss before it was a number, and so was the gradient.</summary>
    [Theory]
    [InlineData(OptimizerKind.Sgd)]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.Lion)]
    [InlineData(OptimizerKind.RmsProp)]
    [InlineData(OptimizerKind.Adafactor)]
    [InlineData(OptimizerKind.Muon)]
    [InlineData(OptimizerKind.AdamW, OptimizerStates.Blocks8Bit)]
    public void Execute_UpdateBeyondAllNumbers_StopsAndKeepsWhatWasSaved(
        OptimizerKind optimizer, OptimizerStates states = OptimizerStates.Float32)
    {
        RunCase.Run(Short("diverged") with
        {
            Optimization = Short("diverged").Optimization with { Optimizer = optimizer, States = states },
        });
        var before = run.Weights("diverged");
        var options = Short("diverged") with
        {
            Optimization = new OptimizationOptions
            {
                LearningRate = 1e300, MaxSteps = 3, PerDeviceBatchSize = 2, Optimizer = optimizer, States = states, MaxGradNorm = 0,
            },
        };

        var error = Assert.Throws<NonFiniteWeightsException>(() => RunCase.Run(options));

        Assert.Contains("holds values that are infinite or not a number; nothing was saved", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, run.Weights("diverged"));
        Assert.Equal(["checkpoint-2"], Directory.GetDirectories(run.Chat.File("diverged"), "checkpoint-*").Select(Path.GetFileName));
    }

    [Fact]
    public void Execute_WeightsBeyondTheSavedType_AreKeptInACheckpointAndNotRounded()
    {
        var options = Short("wide") with
        {
            Model = new ModelOptions { NameOrPath = run.Chat.Policy, Precision = Precision.Float32, SavedDtype = SavedDtype.Float16 },
            Optimization = new OptimizationOptions
            {
                LearningRate = 1e6, MaxSteps = 1, PerDeviceBatchSize = 2, Optimizer = OptimizerKind.Lion,
            },
            Checkpoints = Short("wide").Checkpoints with { Strategy = IntervalStrategy.No },
        };

        var error = Assert.Throws<NonFiniteWeightsException>(() => RunCase.Run(options));

        Assert.Contains("beyond what float16 can", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(run.Chat.File("wide"), "model.safetensors")));
        var saved = RunCase.Run(options with { Model = options.Model with { SavedDtype = SavedDtype.Float32 } });
        Assert.Equal(1, saved.State.GlobalStep);
    }

    [Fact]
    public void Execute_ModelWithAWeightThatIsNoNumber_IsRefusedWithItsName()
    {
        using (var model = CausalLanguageModel.Load(run.Chat.Policy, DType.Float32))
        {
            var weight = model.Parameters.First(parameter => parameter.Name.EndsWith("down_proj.weight", StringComparison.Ordinal)).Value;
            weight.Span<float>()[7] = float.PositiveInfinity;
            model.Save(run.Chat.File("broken"), DType.Float32);
        }
        foreach (var file in Directory.GetFiles(run.Chat.Policy, "*token*"))
            File.Copy(file, Path.Combine(run.Chat.File("broken"), Path.GetFileName(file)));

        var error = Assert.Throws<UserErrorException>(() => RunCase.Run(
            Short("out") with { Model = new ModelOptions { NameOrPath = run.Chat.File("broken") } }));

        Assert.Contains("down_proj.weight holds values that are infinite or not a number", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eval_los", "Did you mean eval_loss?")]
    [InlineData("rewards/accuracies", "evaluations here have no eval_rewards/accuracies; they have eval_loss")]
    public void Execute_MetricThatNoEvaluationHas_IsRefusedBeforeTheFirstStep(string metric, string expected)
    {
        using var progress = new StoppingProgress(_ => false);
        var options = run.Options("out") with { Checkpoints = run.Options("out").Checkpoints with { MetricForBest = metric } };

        var error = Assert.Throws<UserErrorException>(() => RunCase.Run(options, progress));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.Chat.File("out")));
    }

    [Fact]
    public void Execute_WithoutTraining_OnlyEvaluates()
    {
        var options = run.Options("measured");
        var result = RunCase.Run(options with { Checkpoints = options.Checkpoints with { Train = false } });

        Assert.Equal(0, result.State.GlobalStep);
        Assert.Equal(["all_results.json", "eval_results.json"],
            Directory.GetFileSystemEntries(run.Chat.File("measured")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(true, "true")]
    [InlineData(false, "false")]
    public void Execute_AnswersOfOneVerdict_AreWarnedOfBeforeTheFirstStep(bool label, string named)
    {
        var data = run.Chat.Write("verdicts.jsonl",
            string.Concat(Enumerable.Range(0, 4)
                .Select(i => $$"""{"prompt": "hello {{i}}", "completion": " yes", "label": {{named}}}""" + "\n")));
        using var progress = new StoppingProgress(what => what == "step 1");
        var options = Short("out") with
        {
            Task = label ? "kto" : "bco",
            Data = new DataOptions { Sources = [new DatasetSource(data, null, "train", null, 1)] },
            Preference = new PreferenceOptions { LossTypes = [label ? "kto" : "bco"] },
        };

        RunCase.Run(options, progress, progress.Token);

        Assert.Contains(progress.Notes,
            note => note.StartsWith($"warning: all 4 training answers have the label {named}; {(label ? "kto" : "bco")} learns",
                StringComparison.Ordinal));
    }

    [Fact]
    public void Execute_FolderOfALivingRun_IsRefused()
    {
        using (OutputFolder.Claim(run.Chat.File("shared")))
        {
            var error = Assert.Throws<UserErrorException>(() => RunCase.Run(Short("shared")));
            Assert.Contains("another run is at work in this folder", error.Message, StringComparison.Ordinal);
        }
        Assert.False(Directory.Exists(run.Chat.File("shared")));
        RunCase.Run(Short("shared"));
        Assert.False(File.Exists(Path.Combine(run.Chat.File("shared"), ".handbook.lock")));
    }

    /// <summary>Rounding before the first step would lose what training in bf16 keeps its masters for.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public void CreateOptimizer_Float32Checkpoint_MastersAreItsOwnNumbers(bool tied, bool bare)
    {
        var folder = Checkpoint(tied, bare);
        var options = Short("out") with { Model = new ModelOptions { NameOrPath = folder, Precision = Precision.Bfloat16Mixed } };
        var tokenizer = RunTokenizer.Load(options);
        tokenizer = tokenizer.WithAddedTokens([new Handbook.Tokenizers.AddedToken("<|new|>") { Special = true }]);
        using var exact = CausalLanguageModel.Load(folder, DType.Float32, vocabulary: tokenizer.VocabSize);
        using var model = RunModel.Open(options, TrainingMethod.Of("cpt"), tokenizer, new Handbook.Training.Progress.SilentProgress());
        using var optimizer = model.CreateOptimizer(options);

        foreach (var (parameter, expected) in model.Model.Parameters.Zip(exact.Parameters))
        {
            Assert.Equal(DType.BFloat16, parameter.Value.DType);
            Assert.Equal(expected.Value.ToArray<float>(), optimizer.Weights(parameter).ToArray<float>());
        }
        Assert.Contains(model.Model.Parameters.Zip(exact.Parameters),
            pair => pair.First.Value.To(DType.Float32).MaxAbsDifference(pair.Second.Value) > 0);
    }

    private string Checkpoint(bool tied, bool bare)
    {
        var folder = run.Chat.File($"float32-{tied}-{bare}");
        using (var source = CausalLanguageModel.Load(run.Chat.Policy, DType.Float32))
        {
            var config = source.Config.Source.DeepClone().AsObject();
            config["tie_word_embeddings"] = tied;
            using var model = CausalLanguageModel.Create(config, seed: 3, DType.Float32);
            model.Save(folder, DType.Float32);
            if (bare && tied)
            {
                SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), model.Parameters.Select(parameter => new NamedTensor(
                    parameter.Name["model.".Length..], parameter.Value)));
            }
        }
        foreach (var file in Directory.GetFiles(run.Chat.Policy, "*token*"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return folder;
    }

    private RunOptions Short(string output) => run.Options(output) with
    {
        Optimization = new OptimizationOptions { LearningRate = 1e-3, MaxSteps = 2, PerDeviceBatchSize = 2 },
        Evaluation = new EvaluationOptions(),
    };
}
