using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Models;
using Handbook.Models.Weights;
using Handbook.Tokenizers;
using Handbook.Torch;
using Handbook.Training.Options;
using Handbook.Training.Planning;
using Handbook.Training.Progress;
using Handbook.Training.Runs;

namespace Handbook.Cli.Commands;

/// <summary><c>handbook model info</c>: what a model folder holds and what it takes to train it.</summary>
internal static class ModelCommand
{
    private static readonly (string Name, Func<RunOptions, RunOptions> Change)[] Ways =
    [
        ("whole", options => options),
        ("LoRA", options => options with { Lora = AllLinear }),
        ("QLoRA", options => options with
        {
            Lora = AllLinear, Quantization = new QuantizationOptions { Bits = 4, DoubleQuantization = true },
        }),
    ];

    private static LoraOptions AllLinear => new() { TargetModules = ["all-linear"] };

    public static Command Create(Terminal terminal) => new HandbookCommand("model", "Look at a model.") { Info(terminal) };

    private static HandbookCommand Info(Terminal terminal)
    {
        var model = new Argument<string>("MODEL")
        {
            Description = "A folder of a model or an adapter, or the hub id of a model that lies in the Hugging Face cache.",
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new HandbookCommand("info",
            "Say what a model is, how large it is, and the least memory that it takes to load and to fine-tune it: whole, by LoRA of rank "
                + "16 on all linear layers, and by QLoRA. Activations come on top: 'handbook plan' knows them.",
            "handbook model info output/sft", "handbook model info HuggingFaceTB/SmolLM2-135M --json")
        {
            model, json,
        };
        command.SetAction(parsed =>
        {
            var name = parsed.GetValue(model)!;
            using var folder = new ModelFolder(FolderOf(name));
            var facts = Facts(name, folder);
            if (parsed.GetValue(json))
                terminal.Output.WriteLine(facts.ToJsonString());
            else
                Write(facts, terminal);
        });
        return command;
    }

    /// <summary>The folder, or the cache's copy of a hub id.</summary>
    private static string FolderOf(string name)
    {
        if (Directory.Exists(name))
            return name;
        var cache = HubCacheResolver.OfThisMachine("models");
        return cache.Find(name, null) ?? throw new UserErrorException(
            $"{PrintableText.Line(name)}: is no folder, and no model of {cache.Where}."
                + NearestName.Hint(name, [cache.Nearest(name) ?? ""]));
    }

    private static JsonObject Facts(string name, ModelFolder folder)
    {
        var config = folder.Config with { VocabularySize = folder.VocabularySize };
        using var shapes = CausalLanguageModel.Build(
            config with { Quantization = null }, new PatternWeights(DType.BFloat16, Device.Meta));
        var options = Options(folder);
        var attention = config.Layers[0].Attention;
        return new JsonObject
        {
            ["model"] = name,
            ["architecture"] = config.ModelType,
            ["parameters"] = shapes.ParameterCount,
            ["stored_as"] = config.Quantization?.Format.Name ?? folder.StoredDType.Name(),
            ["files_bytes"] = folder.Weights.Names.Sum(tensor => folder.Weights.Entry(tensor) is var entry ? entry.End - entry.Begin : 0),
            ["adapters"] = new JsonArray([.. folder.Adapters.Select(adapter => (JsonNode)adapter.Path)]),
            ["layers"] = config.Layers.Count,
            ["hidden_size"] = config.HiddenSize,
            ["attention_heads"] = attention.HeadCount,
            ["key_value_heads"] = attention.KeyValueHeadCount,
            ["vocab_size"] = config.VocabularySize,
            ["max_positions"] = config.MaxPositions,
            ["tied_head"] = config.Head.IsTied,
            ["experts"] = config.Layers.Max(layer => layer.FeedForward.Routing?.ExpertCount),
            ["head"] = folder.HasScore ? "classification" : "language model",
            ["tokenizer"] = Tokenizer.IsIn(folder.Path),
            ["numbers"] = options.Model.Precision.Words(),
            ["load_bytes"] = Planner.AtLeast(options, config).Where(part => part.Owner == MemoryOwner.Weights).Sum(part => part.Bytes),
            ["fine_tune_bytes"] = new JsonObject(Ways.Where(way => config.Quantization is null || way.Name != "whole")
                .Select(way => KeyValuePair.Create(
                    way.Name, (JsonNode?)Planner.AtLeast(way.Change(options), config).Sum(part => part.Bytes)))),
        };
    }

    private static RunOptions Options(ModelFolder folder) => new()
    {
        Task = TrainingMethod.All.First(method => method is { Data: StoreKind.Sequences, IsPlainText: false }).Name,
        Model = RunPrecision.Settle(new ModelOptions { NameOrPath = folder.Path, Precision = Precision.Auto }, null),
        Data = new DataOptions { Sources = [] },
        Optimization = new OptimizationOptions { LearningRate = 1 },
        Checkpoints = new CheckpointOptions { OutputDirectory = "." },
    };

    private static void Write(JsonObject facts, Terminal terminal)
    {
        string Text(string key) => facts[key]!.ToString();
        string Size(JsonNode? bytes) => PlanText.Bytes(bytes!.GetValue<long>());
        var rows = new List<string[]>
        {
            new[] { "architecture", Text("architecture") + (facts["experts"] is { } experts ? $", {experts} experts a layer" : "") },
            new[] { "parameters", ProgressText.Count(facts["parameters"]!.GetValue<long>()) },
            new[] { "stored as", $"{Text("stored_as")}, {Size(facts["files_bytes"])}" },
            new[] { "layers", $"{Text("layers")} of width {Text("hidden_size")}" },
            new[] { "heads", $"{Text("attention_heads")} of queries, {Text("key_value_heads")} of keys and values" },
            new[] { "vocabulary", $"{Text("vocab_size")}, head {(facts["tied_head"]!.GetValue<bool>() ? "tied" : "of its own")}" },
            new[] { "context", $"{Text("max_positions")} tokens" },
            new[] { "head", Text("head") },
            new[] { "tokenizer", facts["tokenizer"]!.GetValue<bool>() ? "in the folder" : "none in the folder" },
        };
        rows.AddRange(facts["adapters"]!.AsArray().Select(adapter => new[] { "adapter", adapter!.ToString() }));
        rows.Add(["to load", $"{Size(facts["load_bytes"])} in {Text("numbers")}"]);
        rows.AddRange(facts["fine_tune_bytes"]!.AsObject()
            .Select(way => new[] { $"to fine-tune, {way.Key}", $"at least {Size(way.Value)}" }));
        foreach (var row in rows)
            terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row[0],-20} {PrintableText.Line(row[1])}"));
    }
}
