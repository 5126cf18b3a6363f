using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Safetensors;
using Handbook.Torch;
using Handbook.Training.Options;

namespace Handbook.Training.Tests.Runs;

/// <summary>Runs that train an adapter: what they leave, go on from, and build on.</summary>
[Collection(nameof(RunCase))]
public sealed class AdapterRunTests : IDisposable
{
    private static readonly LoraOptions Small = new() { Rank = 4, Alpha = 8, TargetModules = ["all-linear"] };

    private readonly RunCase run = new();

    public static TheoryData<string> Kinds => [.. Variants.Keys];

    private static Dictionary<string, LoraOptions> Variants { get; } = new()
    {
        ["dropout"] = Small with { Dropout = 0.3 },
        ["rslora on query and value"] = Small with { TargetModules = null, UseRsLora = true },
        ["dora with dropout"] = Small with { UseDora = true, Dropout = 0.2 },
        ["pissa"] = Small with { Initialization = LoraInitialization.Pissa },
        ["with embedding and norms whole"] = Small with { ModulesToSave = ["embed_tokens", "norm"] },
        ["patterns"] = Small with { RankPattern = [new("mlp.*", 2)], AlphaPattern = [new("down_proj", 3)] },
    };

    public void Dispose() => run.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Execute_StoppedAndStartedAgain_EndsWithTheSameBytes(string kind)
    {
        foreach (var precision in new[] { Precision.Float32, Precision.Bfloat16Mixed })
        {
            var (whole, cut) = ("whole" + precision, "cut" + precision);
            RunCase.Run(Options(whole, Variants[kind], precision));
            using (var progress = new StoppingProgress(what => what == "step 3"))
                Assert.True(RunCase.Run(Options(cut, Variants[kind], precision), progress, progress.Token).Stopped);
            RunCase.Run(Options(cut, Variants[kind], precision));

            Assert.Equal(Bytes(whole), Bytes(cut));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Saved_LoadsWithItsBase_AndMergesIntoTheSameModel(string kind)
    {
        RunCase.Run(Options("out", Variants[kind]));
        using var scope = new TensorScope();
        using var plain = CausalLanguageModel.Load(run.Chat.Policy, DType.Float32);
        using var model = CausalLanguageModel.Load(Out("out"), DType.Float32);

        var adapted = Logits(model);
        Assert.True(adapted.MaxAbsDifference(Logits(plain)) > 1e-3, "training has changed nothing");
        Adapter.Merge(model, model.Adapters);
        Assert.InRange(Logits(model).MaxAbsDifference(adapted), 0, 1e-4);
        model.Save(run.Chat.File("merged"), DType.Float32);
        using var merged = CausalLanguageModel.Load(run.Chat.File("merged"), DType.Float32);
        Assert.Equal(0, Logits(merged).MaxAbsDifference(Logits(model)));
    }

    [Theory]
    [InlineData(4, "nf4", true)]
    [InlineData(4, "fp4", false)]
    [InlineData(8, "nf4", false)]
    public void Execute_OnWeightsInFewBits_StoppedAndStartedAgain_EndsWithTheSameBytes(int bits, string type, bool twice)
    {
        var quantization = new QuantizationOptions { Bits = bits, QuantType = type, DoubleQuantization = twice };
        foreach (var precision in new[] { Precision.Float32, Precision.Bfloat16Mixed })
        {
            var (whole, cut, plain) = ("whole" + precision, "cut" + precision, "plain" + precision);
            RunCase.Run(InCodes(whole));
            using (var progress = new StoppingProgress(what => what == "step 3"))
                Assert.True(RunCase.Run(InCodes(cut), progress, progress.Token).Stopped);
            RunCase.Run(InCodes(cut));
            RunCase.Run(Options(plain, Small, precision));

            Assert.Equal(Bytes(whole), Bytes(cut));
            Assert.NotEqual(Bytes(whole), Bytes(plain));
            RunOptions InCodes(string name) => Options(name, Small, precision) with { Quantization = quantization };
        }
    }

    [Fact]
    public void WholeModel_InFewBits_IsRefused()
    {
        using (var model = CausalLanguageModel.Load(
            run.Chat.Policy, DType.Float32, quantization: new() { Format = CodeFormat.NormalFloat4 }))
            model.Save(run.Chat.File("codes"), DType.Float32);
        foreach (var file in Directory.GetFiles(run.Chat.Policy, "tokenizer*"))
            File.Copy(file, Path.Combine(run.Chat.File("codes"), Path.GetFileName(file)));
        var whole = Options("out", null) with { Model = Model(run.Chat.File("codes")) };
        Assert.Equal("model_name_or_path: the weights are in nf4 codes, which do not train; add use_peft: true, or take the "
            + "full-precision checkpoint.", Assert.Throws<UserErrorException>(() => RunCase.Run(whole)).Message);
        RunCase.Run(Options("out", Small) with { Model = Model(run.Chat.File("codes")) });
    }

    [Fact]
    public void Checkpoint_HoldsTheAdapterAlone()
    {
        RunCase.Run(Saving("out", Small));

        var folder = Path.Combine(Out("out"), "checkpoint-4");
        Assert.False(File.Exists(Path.Combine(folder, "model.safetensors")));
        Assert.False(File.Exists(Path.Combine(folder, "config.json")));
        using var adapter = new SafetensorsFile(Path.Combine(folder, AdapterFolder.WeightsFile));
        Assert.All(adapter.Header.Tensors.Keys, name => Assert.Contains(".lora_", name, StringComparison.Ordinal));
        var trained = adapter.Header.Tensors.Values.Sum(entry => entry.ElementCount) * sizeof(float);
        var size = Directory.GetFiles(folder, "*.safetensors").Sum(path => new FileInfo(path).Length);
        // The adapter, and two averages of each of its weights; headers beside them.
        Assert.InRange(size, 3 * trained, (3 * trained) + 20_000);
    }

    [Fact]
    public void Adapter_OnAnAdapter_LoadsItsWholeChain_AndWritesItDown()
    {
        RunCase.Run(Options("first", Small));
        RunCase.Run(Options("second", Small with { UseDora = true }) with { Model = Model(Out("first")) });

        var lineage = Lineage.Read(Out("second"))!;
        Assert.Equal([run.Chat.Policy, Out("first")], lineage.Parents.Select(parent => parent.Path));
        Assert.Equal(FolderIdentity.Of(run.Chat.Policy), lineage.Parents[0].Sha256);
        using var scope = new TensorScope();
        using var first = CausalLanguageModel.Load(Out("first"), DType.Float32);
        using var second = CausalLanguageModel.Load(Out("second"), DType.Float32);
        Assert.Equal(2, second.Adapters.Count);
        var both = Logits(second);
        using (second.Adapters[1].Switch.Off())
            Assert.Equal(0, Logits(second).MaxAbsDifference(Logits(first)));
        Adapter.Merge(second, second.Adapters);
        Assert.InRange(Logits(second).MaxAbsDifference(both), 0, 1e-4);
    }

    [Fact]
    public void WholeModel_FromAnAdapter_StartsFromItsSum()
    {
        RunCase.Run(Options("first", Small));
        RunCase.Run(Options("second", null) with
        {
            Model = Model(Out("first")), Optimization = Steps(1) with { LearningRate = 1e-12 },
        });

        using var scope = new TensorScope();
        using var first = CausalLanguageModel.Load(Out("first"), DType.Float32);
        using var second = CausalLanguageModel.Load(Out("second"), DType.Float32);
        Assert.Empty(second.Adapters);
        Assert.InRange(Logits(second).MaxAbsDifference(Logits(first)), 0, 1e-4);
    }

    [Fact]
    public void WholeModel_FromAnAdapter_KeepsWhatBfloat16WouldRoundAway()
    {
        RunCase.Run(Options("first", Small));
        RunCase.Run(Options("second", null) with
        {
            Model = Model(Out("first"), Precision.Bfloat16Mixed) with { SavedDtype = SavedDtype.Float32 },
            Optimization = Steps(1) with { LearningRate = 1e-12 },
        });

        using var scope = new TensorScope();
        using var first = CausalLanguageModel.Load(Out("first"), DType.Float32);
        using var second = CausalLanguageModel.Load(Out("second"), DType.Float32);
        Adapter.Merge(first, first.Adapters);
        foreach (var (expected, actual) in first.Parameters.Zip(second.Parameters))
            Assert.InRange(actual.Value.MaxAbsDifference(expected.Value), 0, 1e-6);
    }

    [Fact]
    public void AdapterNameOrPath_GoesOnWithTheAdapter()
    {
        RunCase.Run(Options("first", Small with { Dropout = 0 }));
        RunCase.Run(Options("second", new LoraOptions { AdapterNameOrPath = Out("first") }) with
        {
            Optimization = Steps(1) with { LearningRate = 1e-12 },
        });

        using var first = new SafetensorsFile(Path.Combine(Out("first"), AdapterFolder.WeightsFile));
        using var second = new SafetensorsFile(Path.Combine(Out("second"), AdapterFolder.WeightsFile));
        using var scope = new TensorScope();
        Assert.Equal(first.Header.Tensors.Keys, second.Header.Tensors.Keys);
        foreach (var name in first.Header.Tensors.Keys)
            Assert.InRange(first.Get(name).MaxAbsDifference(second.Get(name)), 0, 1e-6);
        Assert.Single(Lineage.Read(Out("second"))!.Parents);
    }

    [Fact]
    public void Base_ThatIsAnother_IsRefusedByName()
    {
        RunCase.Run(Options("first", Small));
        RunCase.Run(Options("other", null));
        var config = Path.Combine(Out("first"), AdapterFolder.ConfigFileName);
        File.WriteAllText(config, File.ReadAllText(config).Replace(run.Chat.Policy, Out("other"), StringComparison.Ordinal));

        var fault = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(Out("first")));
        Assert.Contains($"the base {Out("other")} holds other weights", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);

        fault = Assert.Throws<UserErrorException>(() => RunCase.Run(
            Options("second", new LoraOptions { AdapterNameOrPath = Out("first") }) with { Model = Model(Out("other")) }));
        Assert.Contains("holds other weights", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parent_ThatIsMissing_IsRefusedByName()
    {
        RunCase.Run(Options("first", Small));
        RunCase.Run(Options("second", Small) with { Model = Model(Out("first")) });
        Directory.Move(Out("first"), Out("moved"));

        var fault = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(Out("second")));
        Assert.Contains($"{Out("first")} is no folder on this machine", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("q_prj", "q_prj is no module of the model. Did you mean q_proj?")]
    [InlineData("nothing.*", "\"nothing.*\" matches no module of the model. Linear layers are q_proj, k_proj")]
    [InlineData("embed_tokens", "model.embed_tokens is the embedding's matrix and the head's")]
    [InlineData("(", "\"(\" is no regular expression")]
    public void Target_ThatMeansNothing_IsRefused(string target, string words)
    {
        var fault = Assert.Throws<UserErrorException>(() => RunCase.Run(Options("out", Small with { TargetModules = [target] })));
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
        Assert.False(Directory.Exists(Out("out")) && Directory.EnumerateFileSystemEntries(Out("out")).Any());
    }

    private static Tensor Logits(CausalLanguageModel model)
    {
        using var tape = new Tape(isRecording: false);
        var hidden = model.Forward(tape, [5, 9, 40, 41, 7, 3], SequenceLayout.Documents([6])).Hidden;
        return model.Head.Logits(hidden.Value);
    }

    private static OptimizationOptions Steps(int count) => new() { LearningRate = 5e-3, MaxSteps = count, PerDeviceBatchSize = 2 };

    private static ModelOptions Model(string path, Precision precision = Precision.Float32) =>
        new() { NameOrPath = path, Precision = precision };

    private string Out(string name) => run.Chat.File(name);

    private byte[] Bytes(string output) => File.ReadAllBytes(Path.Combine(Out(output), AdapterFolder.WeightsFile));

    private RunOptions Options(string output, LoraOptions? lora, Precision precision = Precision.Float32) => run.Options(output) with
    {
        Lora = lora, Optimization = Steps(8), Model = Model(run.Chat.Policy, precision),
        Evaluation = new EvaluationOptions { Strategy = IntervalStrategy.No },
    };

    private RunOptions Saving(string output, LoraOptions lora)
    {
        var options = Options(output, lora);
        return options with { Checkpoints = options.Checkpoints with { Interval = new StepInterval(4) } };
    }
}
