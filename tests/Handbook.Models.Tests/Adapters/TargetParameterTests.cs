using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.Models.Tests.EveryArchitecture;
using Handbook.Models.Weights;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Adapters;

/// <summary>
/// Adapters around experts that are one tensor for PEFT (<c>target_parameters</c>): their files are written here element by element, as
/// PEFT's <c>ParamWrapper</c> reads them, and what it adds to each expert's matrix is summed in loops.
/// </summary>
public sealed class TargetParameterTests : IDisposable
{
    private const int Rank = 3;
    private const double Scale = 2.0 / Rank;
    private static readonly string[] Both = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"];

    private readonly TemporaryFolder temporary = new();
    private readonly TensorScope scope = new();

    public void Dispose()
    {
        scope.Dispose();
        temporary.Dispose();
    }

    /// <summary>Architecture, whether its folder joins the experts, PEFT's version, whether A is then on the side of the outputs.</summary>
    public static TheoryData<string, bool, string?, bool> Layouts => new()
    {
        { "mixtral", false, null, true }, { "mixtral", false, "0.18.1", true }, { "mixtral", true, "0.19.0", true },
        { "mixtral", false, "0.19.1", false }, { "mixtral", true, "0.20.1.dev0", false },
        { "qwen3_moe", false, null, true }, { "qwen3_moe", false, "0.19.1", false }, { "qwen3_moe", true, "0.19.1", false },
        { "gpt_oss", true, null, false }, { "gpt_oss", true, "0.19.0", true }, { "gpt_oss", true, "0.20.0", false },
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Load_AddsToEachExpertWhatPeftAdds(string modelType, bool isJoined, string? version, bool isTurned)
    {
        // Square ones too, of which only the version can tell.
        foreach (var (targets, width) in new[] { (Both, 40), (Both[..1], 40), (Both[1..], 40), (Both[1..], 48) })
        {
            var path = Base(modelType, isJoined, width, out var plain);
            var folder = temporary.File("adapter" + targets.Length + targets[0] + width);
            var deltas = WriteAdapter(folder, path, plain, targets, version, isTurned);

            using var model = CausalLanguageModel.Load(folder, DType.Float32);
            var adapted = Logits(model);
            Adapter.Merge(model, model.Adapters);

            Assert.InRange(Logits(model).MaxAbsDifference(adapted), 0, 2e-5);
            Assert.True(Logits(plain).MaxAbsDifference(adapted) > 1e-3);
            foreach (var (name, delta) in deltas)
                Assert.InRange(Experts(model, name).MaxAbsDifference(Experts(plain, name).Add(delta)), 0, 1e-6);
            foreach (var (before, after) in Others(plain).Zip(Others(model)))
                Assert.Equal(0, ((Parameter)before.Weight).Value.MaxAbsDifference(((Parameter)after.Weight).Value));
            plain.Dispose();
        }
    }

    [Theory]
    [InlineData("mixtral", false)]
    [InlineData("mixtral", true)]
    [InlineData("gpt_oss", true)]
    public void Save_WritesTheLayoutOfToday(string modelType, bool isJoined)
    {
        var path = Base(modelType, isJoined, 40, out var plain);
        using var owned = plain;
        var deltas = WriteAdapter(temporary.File("old"), path, plain, Both, null, modelType != "gpt_oss");
        using (var model = CausalLanguageModel.Load(path, DType.Float32))
        using (var adapter = Adapter.Load(model, new AdapterFolder(temporary.File("old"))))
            adapter.Save(temporary.File("new"), DType.Float32);

        var config = ConfigFile.Read(temporary.File("new/adapter_config.json"));
        Assert.Equal("0.19.1", config["peft_version"]!.GetValue<string>());
        Assert.Equal("""["mlp.experts.down_proj","mlp.experts.gate_up_proj"]""", config["target_parameters"]!.ToJsonString());
        var expected = WriteTensors(temporary.File("expected"), plain, Both, false);
        Assert.Equal(deltas.Keys, expected.Keys);
        using var theirs = new SafetensorsFile(temporary.File("expected/adapter_model.safetensors"));
        using var ours = new SafetensorsFile(temporary.File("new/adapter_model.safetensors"));
        Assert.Equal(theirs.Header.Tensors.Keys.Order(), ours.Header.Tensors.Keys.Order());
        foreach (var name in theirs.Header.Tensors.Keys)
        {
            Assert.Equal(theirs.Header.Tensors[name].Shape, ours.Header.Tensors[name].Shape);
            Assert.Equal(0, theirs.Get(name).MaxAbsDifference(ours.Get(name)));
        }
        Assert.Contains("base_model.model.model.layers.0.mlp.experts.base_layer.lora_A.weight", ours.Header.Tensors.Keys);
        Assert.Equal([4 * Rank, 48L], ours.Header.Tensors["base_model.model.model.layers.0.mlp.experts.base_layer.lora_A.weight"].Shape);
        Assert.Equal([48L, Rank * 4], ours.Header.Tensors["base_model.model.model.layers.0.mlp.experts.lora_B.weight"].Shape);
    }

    [Theory]
    [InlineData("mixtral")]
    [InlineData("qwen3_moe")]
    public void Gradients_AreTheSameHoweverTheFolderHoldsTheExperts(string modelType)
    {
        var found = new List<Dictionary<string, Tensor>>();
        foreach (var isJoined in new[] { false, true })
        {
            using var model = CausalLanguageModel.Load(Base(modelType, isJoined, 40, out var plain), DType.Float32);
            plain.Dispose();
            using var adapter = Adapter.Create(model, Config(Both) with { Initialization = LoraInitialization.Random }, 3, "test");
            var before = adapter.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value);
            for (var pass = 0; pass < 2; pass++)
                Backward(model);

            Assert.Equal(adapter.Parameters, model.Parameters.Where(parameter => parameter.IsTrained), ReferenceEqualityComparer.Instance);
            Assert.All(adapter.Parameters, parameter => Assert.NotNull(parameter.Grad));
            Assert.All(model.Parameters.Except(adapter.Parameters), parameter => Assert.Null(parameter.Grad));
            found.Add(adapter.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Grad!.Clone()));
        }

        Assert.Equal(found[0].Keys, found[1].Keys);
        foreach (var (name, gradient) in found[0])
        {
            Assert.True(gradient.MaxAbsDifference(gradient.Multiply(0)) > 0, name);
            Assert.InRange(Golden.GoldenModels.RelativeDistance(found[1][name], gradient), 0, 1e-4);
        }
    }

    [Fact]
    public void RouterAndBiases_AreMatricesToo()
    {
        var path = Base("gpt_oss", true, 40, out var plain);
        using var owned = plain;
        using var model = CausalLanguageModel.Load(path, DType.Float32);
        using var adapter = Adapter.Create(model, Config(["router.weight", "gate_up_proj_bias", "down_proj"]) with
        {
            Initialization = LoraInitialization.Random,
        }, 3, "test");

        Assert.Contains(adapter.Parameters, parameter => parameter.Name.EndsWith("1.mlp.experts.base_layer.lora_A.weight",
            StringComparison.Ordinal) && parameter.Shape.SequenceEqual([Rank, 80L]));
        Assert.Contains(adapter.Parameters, parameter => parameter.Name.EndsWith("1.mlp.router.lora_B.weight", StringComparison.Ordinal));
        Backward(model);
        Assert.All(adapter.Parameters, parameter => Assert.NotNull(parameter.Grad));
        var adapted = Logits(model);
        Adapter.Merge(model, [adapter]);
        Assert.InRange(Logits(model).MaxAbsDifference(adapted), 0, 2e-5);
    }

    [Theory]
    [InlineData("mlp.experts.gate_up", "mlp.experts.gate_up is no parameter of the model. Did you mean mlp.experts.gate_up_proj?")]
    [InlineData("nothing_alike_at_all", "is no parameter of the model. Parameters are")]
    [InlineData("input_layernorm.weight", "model.layers.0.input_layernorm.weight has 1 dimension; matrices and stacks")]
    [InlineData("q_proj.weight q_proj", "model.layers.0.self_attn.q_proj.weight is in target_modules and in target_parameters")]
    [InlineData("down_proj w2", "model.layers.0.mlp.experts.down_proj is in target_modules and in target_parameters")]
    public void Name_ThatMeansNothingThatCanBeAdapted_IsRefused(string names, string words)
    {
        var parts = names.Split(' ');
        using var model = TinyArchitectures.Create("mixtral");
        var config = Config(parts[..1]) with { TargetModules = ModulePattern.OfNames(parts[1..]) };

        var fault = Assert.Throws<UserErrorException>(() => Adapter.Create(model, config, 1, "use_peft"));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public void Setting_ThatPeftHasNotAroundAParameter_IsRefused()
    {
        using var model = TinyArchitectures.Create("mixtral");
        foreach (var (config, words) in new[]
        {
            (Config(Both) with { Dropout = 0.05 }, "lora_dropout is 0.05; target_parameters need 0"),
            (Config(Both) with { UseDora = true }, "use_dora: PEFT has no DoRA around a parameter"),
            (Config(Both) with { Initialization = LoraInitialization.Pissa }, "init_lora_weights: pissa"),
            (Config(Both) with { RankPattern = [new("down_proj", 0)] }, "the rank of model.layers.0.mlp.experts.down_proj is 0"),
        })
        {
            var fault = Assert.Throws<UserErrorException>(() => Adapter.Create(model, config, 1, "use_peft"));
            Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        }
        using var transposed = TinyArchitectures.Create("gpt2");
        Assert.Contains("name the module in target_modules", Assert.Throws<UserErrorException>(
            () => Adapter.Create(transposed, Config(["c_attn.weight"]), 1, "use_peft")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DeltaThatNobodyTakes_IsAnError()
    {
        var path = Base("mixtral", false, 40, out var plain);
        using var owned = plain;
        WriteAdapter(temporary.File("adapter"), path, plain, Both, "0.19.1", false);
        var config = ConfigFile.Read(temporary.File("adapter/adapter_config.json"));
        config["target_parameters"] = new JsonArray("mlp.experts.down_proj");
        ConfigFile.Write(temporary.File("adapter/adapter_config.json"), config);

        var fault = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.File("adapter"), DType.Float32));

        Assert.Contains("mlp.experts.base_layer.lora_A.weight\" [12, 48] is not part of this model.", fault.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AllLinear_TellsOfExpertsThatItDoesNotReach()
    {
        using var joined = CausalLanguageModel.Load(Base("qwen3_moe", true, 40, out var plain), DType.Float32);
        using var owned = plain;
        var all = new LoraConfig { TargetModules = ModulePattern.OfText(ModulePattern.AllLinear, "test") };

        Assert.NotEmpty(Adapter.Create(joined, all, 1, "test").Unreached);
        Assert.Empty(Adapter.Create(plain, all, 1, "test").Unreached);
        using var again = CausalLanguageModel.Load(Base("qwen3_moe", true, 40, out var other), DType.Float32);
        other.Dispose();
        Assert.Empty(Adapter.Create(again, all with { TargetParameters = Both }, 1, "test").Unreached);
    }

    private static IEnumerable<WeightSlot> Others(CausalLanguageModel model) => model.Slots.Where(slot => slot.Weight.Shape.Length < 3);

    private static LoraConfig Config(string[] parameters) => new()
    {
        Rank = Rank, Alpha = 2, TargetModules = ModulePattern.OfNames([]), TargetParameters = parameters,
    };

    private static void Backward(CausalLanguageModel model)
    {
        using var tape = new Tape();
        var hidden = model.Forward(tape, TinyArchitectures.Tokens(20, 4), SequenceLayout.Documents([12, 8])).Hidden;
        var (loss, _) = model.Head.Loss(tape, hidden, [0, 1, 2, 3, 13], [4, 5, 6, 7, 9], [-0.2f]);
        tape.Backward(loss);
    }

    private static Tensor Logits(CausalLanguageModel model)
    {
        using var tape = new Tape(isRecording: false);
        var hidden = model.Forward(tape, TinyArchitectures.Tokens(20, 4), SequenceLayout.Documents([12, 8])).Hidden;
        return model.Head.Logits(hidden.Value);
    }

    /// <summary>A mixture's folder, and the model itself.</summary>
    private string Base(string modelType, bool isJoined, int width, out CausalLanguageModel plain)
    {
        var path = temporary.File(modelType + isJoined + width);
        var config = TinyArchitectures.Config(modelType);
        config[modelType == "qwen3_moe" ? "moe_intermediate_size" : "intermediate_size"] = width;
        plain = CausalLanguageModel.Create(config, 6, DType.Float32);
        if (isJoined && modelType != "gpt_oss")
            JoinedExperts.Write(plain, path);
        else
            plain.Save(path, DType.Float32);
        return path;
    }

    /// <summary>[experts, out, in] of a parameter, whichever way the model has it.</summary>
    private static Tensor Experts(CausalLanguageModel model, string name)
    {
        var parts = ModelParameter.Of(model).Single(one => one.Name == name).Slots.Select(slot => ((Parameter)slot.Weight).Value).ToArray();
        return parts.Length == 1 ? parts[0] : Operator.Call("aten::cat"u8, default, parts, 1L);
    }

    private static Dictionary<string, Tensor> WriteAdapter(
        string folder, string path, CausalLanguageModel model, string[] targets, string? version, bool isTurned)
    {
        var deltas = WriteTensors(folder, model, targets, isTurned);
        ConfigFile.Write(Path.Combine(folder, "adapter_config.json"), new JsonObject
        {
            ["peft_type"] = "LORA", ["task_type"] = "CAUSAL_LM", ["r"] = Rank, ["lora_alpha"] = 2, ["lora_dropout"] = 0.0,
            ["target_modules"] = new JsonArray(), ["target_parameters"] = new JsonArray([.. targets.Select(name => (JsonNode)name)]),
            ["base_model_name_or_path"] = path, ["peft_version"] = version,
        });
        return deltas;
    }

    /// <summary>PEFT's tensors of pairs with made up numbers, and the sum of each expert's products.</summary>
    private static Dictionary<string, Tensor> WriteTensors(string folder, CausalLanguageModel model, string[] targets, bool isTurned)
    {
        Directory.CreateDirectory(folder);
        var (tensors, deltas) = (new List<NamedTensor>(), new Dictionary<string, Tensor>());
        for (var layer = 0; layer < model.Config.Layers.Count; layer++)
        {
            if (model.Config.Layers[layer].FeedForward.Routing is null)
                continue;
            foreach (var target in targets)
            {
                var name = $"model.layers.{layer}.{target}";
                var shape = Experts(model, name).Shape.ToArray();
                var (experts, outputs, inputs) = ((int)shape[0], (int)shape[1], (int)shape[2]);
                var nested = targets.Length == 2 && target == Both[0] ? ".base_layer" : "";
                var stem = $"base_model.model.model.layers.{layer}.mlp.experts{nested}";
                var (a, b) = isTurned ? (outputs, inputs) : (inputs, outputs);
                var (first, second) = (new float[experts * Rank * a], new float[b * Rank * experts]);
                var delta = new float[experts * outputs * inputs];
                for (var e = 0; e < experts; e++)
                {
                    for (var r = 0; r < Rank; r++)
                    {
                        for (var i = 0; i < a; i++)
                            first[((e * Rank) + r) * a + i] = Number(layer, target, e, r, isTurned ? i + 1000 : i);
                        for (var o = 0; o < b; o++)
                            second[(o * Rank + r) * experts + e] = Number(layer, target, e, r, isTurned ? o : o + 1000);
                    }
                    for (var o = 0; o < outputs; o++)
                    {
                        for (var i = 0; i < inputs; i++)
                        {
                            for (var r = 0; r < Rank; r++)
                                delta[(e * outputs + o) * inputs + i] += (float)(Scale
                                    * Number(layer, target, e, r, o + 1000) * Number(layer, target, e, r, i));
                        }
                    }
                }
                tensors.Add(new NamedTensor(stem + ".lora_A.weight", Tensor.From<float>(first, [experts * Rank, a])));
                tensors.Add(new NamedTensor(stem + ".lora_B.weight", Tensor.From<float>(second, [b, Rank * experts])));
                deltas[name] = Tensor.From<float>(delta, shape);
            }
        }
        SafetensorsWriter.Write(Path.Combine(folder, "adapter_model.safetensors"), tensors, new Dictionary<string, string>());
        return deltas;
    }

    private static float Number(int layer, string target, int expert, int rank, int place) =>
        0.3f * MathF.Sin(1 + layer + target.Length + 31 * expert + 7 * rank + 1.7f * place);
}
