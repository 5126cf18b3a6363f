using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.Models.Tests.EveryArchitecture;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Adapters;

/// <summary>A pair around a matrix that is embedding and head: in both uses (PEFT's <c>ensure_weight_tying</c>) or refused.</summary>
public sealed class TiedPairTests : IDisposable
{
    private const string Embedding = "base_model.model.model.embed_tokens.", Head = "base_model.model.lm_head.";

    private readonly TemporaryFolder temporary = new();
    private readonly TensorScope scope = new();

    public TiedPairTests()
    {
        using var model = TinyArchitectures.Create("qwen2", tied: true);
        model.Save(temporary.File("base"), DType.Float32);
    }

    public void Dispose()
    {
        scope.Dispose();
        temporary.Dispose();
    }

    [Theory]
    [InlineData("embed_tokens")]
    [InlineData("lm_head")]
    public void Pair_IsInBothUses_AndStandsUnderBothNames(string target)
    {
        using (var model = Model())
        using (var adapter = Adapter.Create(model, Config(target), 4, "test"))
        {
            Backward(model);
            Assert.Equal([Embedding + "lora_embedding_A", Embedding + "lora_embedding_B"],
                adapter.Parameters.Select(parameter => parameter.Name).Order(StringComparer.Ordinal));
            // The gradient of a matrix that is the sum, through the chain rule.
            var (down, up) = (adapter.Parameters[0], adapter.Parameters[1]);
            using var whole = Model();
            Adapter.Merge(whole, [Adapter.Create(whole, Config(target), 4, "test")]);
            foreach (var parameter in whole.Parameters)
                parameter.IsTrained = true;
            Backward(whole);
            var gradient = whole.Parameters.Single(parameter => parameter.Name == "model.embed_tokens.weight").Grad!;
            Assert.InRange(Distance(up.Grad!, gradient.MatMul(down.Value.Transpose(0, 1)).Multiply(2)), 0, 1e-4);
            Assert.InRange(Distance(down.Grad!, up.Value.Transpose(0, 1).MatMul(gradient).Multiply(2)), 0, 1e-4);
            adapter.Save(temporary.File("adapter"), DType.Float32);
        }

        Assert.True(ConfigFile.Read(temporary.File("adapter/adapter_config.json"))["ensure_weight_tying"]!.GetValue<bool>());
        using var file = new SafetensorsFile(temporary.File("adapter/adapter_model.safetensors"));
        Assert.Equal([Head + "lora_A.weight", Head + "lora_B.weight", Embedding + "lora_embedding_A", Embedding + "lora_embedding_B"],
            file.Header.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(0, file.Get(Head + "lora_A.weight").Transpose(0, 1).MaxAbsDifference(file.Get(Embedding + "lora_embedding_B")));
        Assert.Equal(0, file.Get(Head + "lora_B.weight").Transpose(0, 1).MaxAbsDifference(file.Get(Embedding + "lora_embedding_A")));
        using var loaded = CausalLanguageModel.Load(temporary.File("adapter"), DType.Float32);
        var adapted = Logits(loaded);
        Adapter.Merge(loaded, loaded.Adapters);
        Assert.InRange(Logits(loaded).MaxAbsDifference(adapted), 0, 1e-5);
    }

    [Fact]
    public void Pairs_ThatDiffer_AreRefused()
    {
        using (var model = Model())
        using (var adapter = Adapter.Create(model, Config("embed_tokens"), 4, "test"))
            adapter.Save(temporary.File("adapter"), DType.Float32);
        var path = temporary.File("adapter/adapter_model.safetensors");
        var tensors = new List<NamedTensor>();
        using (var file = new SafetensorsFile(path))
        {
            foreach (var name in file.Header.Tensors.Keys)
                tensors.Add(new NamedTensor(name, file.Get(name).Multiply(name.StartsWith(Head, StringComparison.Ordinal) ? 2 : 1)));
        }
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string>());

        var fault = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.File("adapter")));

        Assert.Equal($"{path}: trains the head apart from the embedding, which the base ties (tie_word_embeddings); untie them in the base "
            + "first.", fault.Message);
    }

    [Theory]
    [InlineData("embed_tokens", "", "model.embed_tokens is the embedding's matrix and the head's")]
    [InlineData("lm_head", "", "lm_head is the embedding's matrix and the head's")]
    [InlineData("lm_head q_proj", "", "lm_head is the embedding's matrix and the head's")]
    [InlineData("q_proj", "embed_tokens.weight", "name the module in target_modules with ensure_weight_tying")]
    public void OneUse_IsRefused(string targets, string parameters, string words)
    {
        using var model = Model();
        var config = Config(targets.Split(' ')) with
        {
            EnsureWeightTying = false, TargetParameters = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        };

        var fault = Assert.Throws<UserErrorException>(() => Adapter.Create(model, config, 1, "use_peft"));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    /// <summary>With the flag PEFT keeps one copy of what is trained whole.</summary>
    [Fact]
    public void Whole_UnderOneName_IsBothUnderTheFlagAlone()
    {
        using (var model = Model())
        using (var adapter = Adapter.Create(model, Config("q_proj") with { ModulesToSave = ["embed_tokens"] }, 4, "test"))
            adapter.Save(temporary.File("adapter"), DType.Float32);
        var path = temporary.File("adapter/adapter_model.safetensors");
        var tensors = new List<NamedTensor>();
        using (var file = new SafetensorsFile(path))
        {
            foreach (var name in file.Header.Tensors.Keys.Where(name => !name.StartsWith(Head, StringComparison.Ordinal)))
                tensors.Add(new NamedTensor(name, file.Get(name)));
        }
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string>());
        CausalLanguageModel.Load(temporary.File("adapter")).Dispose();

        var config = ConfigFile.Read(temporary.File("adapter/adapter_config.json"));
        config["ensure_weight_tying"] = false;
        ConfigFile.Write(temporary.File("adapter/adapter_config.json"), config);

        Assert.Contains("trains the head apart from the embedding",
            Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.File("adapter"))).Message, StringComparison.Ordinal);
    }

    private LoraConfig Config(params string[] targets) => new()
    {
        Rank = 3, Alpha = 6, TargetModules = ModulePattern.OfNames(targets), Initialization = LoraInitialization.Random,
        EnsureWeightTying = true, BaseModel = temporary.File("base"),
    };

    private CausalLanguageModel Model() => CausalLanguageModel.Load(temporary.File("base"), DType.Float32);

    private static double Distance(Tensor actual, Tensor expected) => Golden.GoldenModels.RelativeDistance(actual, expected);

    private static void Backward(CausalLanguageModel model)
    {
        using var tape = new Tape();
        var hidden = model.Forward(tape, TinyArchitectures.Tokens(9, 4), SequenceLayout.Documents([9])).Hidden;
        var (loss, _) = model.Head.Loss(tape, hidden, [0, 1, 2, 7], [4, 5, 6, 9], [-0.25f]);
        tape.Backward(loss);
    }

    private static Tensor Logits(CausalLanguageModel model)
    {
        using var tape = new Tape(isRecording: false);
        return model.Head.Logits(model.Forward(tape, TinyArchitectures.Tokens(9, 4), SequenceLayout.Documents([9])).Hidden.Value);
    }
}
