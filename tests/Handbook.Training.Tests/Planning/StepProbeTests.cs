using System.Text.Json.Nodes;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.TestModels;
using Handbook.Torch;
using Handbook.Training.Options;
using Handbook.Training.Planning;

namespace Handbook.Training.Tests.Planning;

/// <summary>What a cut-down model tells of the whole one is what the whole one holds.</summary>
public class StepProbeTests
{
    private static readonly Dictionary<string, Func<RunOptions, RunOptions>> Ways = new()
    {
        ["sft"] = options => options,
        ["sft bf16"] = options => options with { Model = options.Model with { Precision = Precision.Bfloat16Mixed } },
        ["sft accumulated"] = options => options with { Optimization = options.Optimization with { GradientAccumulation = 4 } },
        ["sft recomputed"] = options => options with { Model = options.Model with { Recompute = true } },
        ["sft 8-bit"] = options => options with { Optimization = options.Optimization with { States = OptimizerStates.Blocks8Bit } },
        ["sft lora"] = options => options with { Lora = new LoraOptions { TargetModules = ["all-linear"] } },
        ["sft qlora"] = options => options with
        {
            Lora = new LoraOptions { TargetModules = ["all-linear"] }, Quantization = new QuantizationOptions { Bits = 4 },
        },
        ["dpo"] = options => options with { Task = "dpo" },
        ["dpo lora"] = options => options with { Task = "dpo", Lora = new LoraOptions { TargetModules = ["all-linear"] } },
        ["kto"] = options => options with { Task = "kto", Preference = options.Preference with { LossTypes = ["kto"] } },
        ["reward"] = options => options with { Task = "reward" },
    };

    private static readonly Dictionary<string, Action<JsonObject>> Models = new()
    {
        ["llama"] = _ => { },
        ["gemma2"] = json =>
        {
            (json["model_type"], json["sliding_window"], json["head_dim"]) = ("gemma2", 32, 32);
            (json["query_pre_attn_scalar"], json["hidden_activation"]) = (32, "gelu_pytorch_tanh");
        },
        ["mixtral"] = json =>
        {
            (json["model_type"], json["num_local_experts"], json["num_experts_per_tok"]) = ("mixtral", 4, 2);
        },
    };

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var way in Ways.Keys)
            cases.Add("llama", way);
        foreach (var model in Models.Keys.Skip(1))
        {
            cases.Add(model, "sft");
            cases.Add(model, "sft lora");
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void CutDown_TellsWhatTheWholeModelHolds(string model, string way)
    {
        var json = TinyShape.Config();
        (json["num_hidden_layers"], json["hidden_size"], json["intermediate_size"], json["vocab_size"]) = (8, 128, 384, 1024);
        Models[model](json);
        var options = Ways[way](Options());
        var config = ArchitectureTable.ReadConfig(json, "config.json");
        var layers = ArchitectureTable.Rows[config.ModelType].Names.Layers;
        var (cut, cutStatic) = Read(options, ProbeShape.Cut(config, layers));
        var (whole, wholeStatic) = Read(options, ProbeShape.Uncut(config, layers));
        Assert.Equal(wholeStatic, cutStatic);
        Assert.Equal(whole.Gradients, cut.Gradients);
        Assert.InRange(cut.Activations.Sum / whole.Activations.Sum, 0.97, 1.03);
        Assert.InRange(Peak(cut) / Peak(whole), 0.93, 1.07);

        double Peak(StepMemory memory) => cutStatic.Sum() + memory.AtPeak.Sum(part => part.Bytes);
    }

    [Fact]
    public void Sizes_AreTheSame_WithoutElements()
    {
        var config = ArchitectureTable.ReadConfig(TinyShape.Config(), "config.json");
        var shape = ProbeShape.Cut(config, "model.layers");
        foreach (var way in Ways.Values)
        {
            var options = way(Options());
            using var made = new ProbeModel(options, shape.Config, Device.Cpu);
            using var sizes = new ProbeModel(options, shape.Config, Device.Meta);
            Assert.Equal(made.States, sizes.States);
            // The tables of codes are left out there: a kilobyte a matrix.
            Assert.InRange(sizes.Weights.Sum(one => one.Bytes) / (double)made.Weights.Sum(one => one.Bytes), 0.97, 1);
        }
    }

    private static (StepMemory Memory, long[] Static) Read(RunOptions options, ProbeShape shape)
    {
        using var probe = new ProbeModel(options, shape.Config, Device.Cpu);
        return (StepProbe.Memory(probe, shape, StepLoad.OfLength(options, 192).Largest),
            [shape.Whole(probe.Weights), shape.Whole(probe.FrozenWeights), shape.Whole(probe.States)]);
    }

    private static RunOptions Options() => new()
    {
        Task = "sft",
        Model = new ModelOptions { NameOrPath = "model", Precision = Precision.Float32 },
        Data = new DataOptions { Sources = [] },
        Optimization = new OptimizationOptions { LearningRate = 1, PerDeviceBatchSize = 1 },
        Checkpoints = new CheckpointOptions { OutputDirectory = "out" },
    };
}
