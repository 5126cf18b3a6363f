using Handbook.Autograd;
using Handbook.Models.Adapters;
using Handbook.Models.Generation;
using Handbook.Models.Safetensors;
using Handbook.Models.Tests.EveryArchitecture;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Adapters;

/// <summary>Adapters around experts, DoRA among them: the adapted model is the merged one, in a pass and in generation.</summary>
public sealed class ExpertAdapterTests
{
    public static TheoryData<string> Kinds => [.. Variants.Keys];

    private static Dictionary<string, LoraConfig> Variants { get; } = new()
    {
        ["a pair for each matrix"] = Config("w1", "w2", "w3"),
        ["DoRA"] = Config("w1", "w2", "w3", "q_proj") with { UseDora = true },
        ["one pair for gate and up"] = Config() with { TargetParameters = ["experts.gate_up_proj", "experts.down_proj", "gate.weight"] },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Adapted_IsTheMergedModel(string kind)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using (var model = TinyArchitectures.Create("mixtral"))
            model.Save(temporary.File("base"), DType.Float32);
        using (var model = CausalLanguageModel.Load(temporary.File("base"), DType.Float32))
        using (var adapter = Adapter.Create(model, Variants[kind] with { BaseModel = temporary.File("base") }, 5, "test"))
        {
            // Lengths that are no longer those of the rows.
            foreach (var lengths in adapter.Parameters.Where(one => one.Name.EndsWith("magnitude_vector", StringComparison.Ordinal)))
                lengths.Replace(lengths.Value.Multiply(1.3));
            adapter.Save(temporary.File("adapter"), DType.Float32);
        }
        using var plain = CausalLanguageModel.Load(temporary.File("base"), DType.Float32);
        using var adapted = CausalLanguageModel.Load(temporary.File("adapter"), DType.Float32);
        using var merged = CausalLanguageModel.Load(temporary.File("adapter"), DType.Float32);
        Adapter.Merge(merged, merged.Adapters);

        Assert.InRange(Logits(adapted).MaxAbsDifference(Logits(merged)), 0, 3e-5);
        Assert.True(Logits(adapted).MaxAbsDifference(Logits(plain)) > 1e-2);
        Assert.Equal(Generated(merged), Generated(adapted));
        if (!adapted.Adapters[0].Config.UseDora)
            return;
        using var file = new SafetensorsFile(temporary.File("adapter/adapter_model.safetensors"));
        Assert.Equal([40L],
            file.Header.Tensors["base_model.model.model.layers.1.block_sparse_moe.experts.3.w1.lora_magnitude_vector"].Shape);
    }

    /// <summary>As PEFT converts since 0.19 what older versions saved beside transformers 4.</summary>
    [Theory]
    [InlineData("mixtral", false, "w1 w3 w2 q_proj")]
    [InlineData("mixtral", true, "w1 w3")]
    [InlineData("mixtral", false, "all-linear")]
    [InlineData("qwen3_moe", false, "down_proj v_proj")]
    public void PairsOfEachMatrix_AroundAFolderThatJoinsThem_AreTheSameAdapter(string modelType, bool isRankStabilized, string targets)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using var apart = TinyArchitectures.Create(modelType);
        JoinedExperts.Write(apart, temporary.File("base"));
        var config = Config(targets.Split(' ')) with { UseRsLora = isRankStabilized, BaseModel = temporary.File("base") };
        if (targets == ModulePattern.AllLinear)
            config = config with { TargetModules = ModulePattern.OfText("((?!gate$).)*", "test") };
        using (var adapter = Adapter.Create(apart, config, 5, "test"))
            adapter.Save(temporary.File("adapter"), DType.Float32);

        using var joined = CausalLanguageModel.Load(temporary.File("adapter"), DType.Float32);
        joined.Adapters[0].Save(temporary.File("again"), DType.Float32);
        using var again = CausalLanguageModel.Load(temporary.File("again"), DType.Float32);

        Assert.InRange(Logits(joined).MaxAbsDifference(Logits(apart)), 0, 3e-5);
        Assert.InRange(Logits(again).MaxAbsDifference(Logits(apart)), 0, 3e-5);
        Assert.NotEmpty(again.Adapters[0].Config.TargetParameters);
    }

    [Fact]
    public void PairsOfHalfAJoinedParameter_AreRefused()
    {
        using var temporary = new TemporaryFolder();
        using var apart = TinyArchitectures.Create("mixtral");
        JoinedExperts.Write(apart, temporary.File("base"));
        using (var adapter = Adapter.Create(apart, Config("w1") with { BaseModel = temporary.File("base") }, 5, "test"))
            adapter.Save(temporary.File("adapter"), DType.Float32);

        var fault = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.File("adapter"), DType.Float32));

        Assert.EndsWith("adapts model.layers.0.block_sparse_moe.experts.0.w1 and not model.layers.0.block_sparse_moe.experts.0.w3, which "
            + "the base joins in model.layers.0.mlp.experts.gate_up_proj.", fault.Message, StringComparison.Ordinal);
    }

    private static LoraConfig Config(params string[] modules) => new()
    {
        Rank = 3, Alpha = 6, TargetModules = ModulePattern.OfNames(modules), Initialization = LoraInitialization.Random,
    };

    private static Tensor Logits(CausalLanguageModel model)
    {
        using var tape = new Tape(isRecording: false);
        return model.Head.Logits(model.Forward(tape, TinyArchitectures.Tokens(20, 4), SequenceLayout.Documents([12, 8])).Hidden.Value);
    }

    private static IEnumerable<int> Generated(CausalLanguageModel model) =>
        new Generator(model).Run([new GenerationRequest { Prompt = TinyArchitectures.Tokens(7, 3), MaxNewTokens = 12, StopTokens = [] }])
            .SelectMany(results => results[0].Tokens);
}
