using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Adapters;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models;

/// <summary>A Hugging Face model folder that is open for reading: its configuration and its weights.</summary>
public sealed class ModelFolder : IDisposable
{
    /// <summary>Opens a folder.</summary>
    /// <exception cref="UserErrorException">A file is missing or broken, or the architecture is not supported.</exception>
    public ModelFolder(string path)
    {
        (path, Adapters) = AdapterChain.Of(path);
        Path = path;
        if (!Directory.Exists(path))
            throw new UserErrorException(
                $"{path}: no such folder; a model folder with {ConfigFile.Name} and {SafetensorsFolder.SingleFile} is expected.");
        var configPath = System.IO.Path.Combine(path, ConfigFile.Name);
        var json = ConfigFile.Read(configPath);
        Architecture = ArchitectureTable.Find(json, configPath);
        Config = Architecture.ReadConfig(json, configPath);
        if (Adapters.Select(adapter => adapter.RowsOf(Architecture.Names.Score)).LastOrDefault(rows => rows is not null) is { } labels)
            Config = Config with { LabelCount = labels };
        var generationPath = System.IO.Path.Combine(path, ConfigFile.GenerationName);
        GenerationConfig = File.Exists(generationPath) ? ConfigFile.Read(generationPath) : null;
        // It is written again with the trained model; whoever samples then must be able to read it.
        _ = Generation.GenerationDefaults.Of(GenerationConfig, generationPath);
        Weights = new SafetensorsFolder(path);
        Names = Architecture.NamesIn(Weights.Names);
    }

    /// <summary>The configuration of a folder that holds no weights yet; null for any other.</summary>
    /// <exception cref="UserErrorException">The configuration is broken or not supported.</exception>
    public static ModelConfig? ConfigAlone(string path)
    {
        var file = System.IO.Path.Combine(path, ConfigFile.Name);
        return !File.Exists(file) || Directory.EnumerateFiles(path, "*.safetensors*").Any() || Directory.EnumerateFiles(path, "*.bin").Any()
            ? null : ArchitectureTable.ReadConfig(ConfigFile.Read(file), file);
    }

    /// <summary>The folder; that of the base where an adapter's was opened.</summary>
    public string Path { get; }

    /// <summary>The adapters that lie around it, from the innermost out.</summary>
    public IReadOnlyList<AdapterFolder> Adapters { get; }

    /// <summary>True when there is a sequence-classification head.</summary>
    public bool HasScore =>
        Weights.Contains(Architecture.Names.Score + ".weight") || Adapters
            .Any(adapter => adapter.RowsOf(Architecture.Names.Score) is not null);

    /// <summary>Rows of the embedding, of which an adapter may have trained more than the base has.</summary>
    public int VocabularySize =>
        Adapters.Select(adapter => adapter.RowsOf(Architecture.Names.Embedding) ?? 0).Append(Config.VocabularySize).Max();

    /// <summary>What of the folder is not the model's, in words for whoever opens it; null for nothing.</summary>
    public string? LeftBehind => Weights.Names.Count(name => Names.OtherParts.Any(part => name.StartsWith(part, StringComparison.Ordinal)))
        is > 0 and var count
        ? $"{Path}: what reads images stays behind ({Quantity.Of(count, "tensor")}); the text model is what is used and saved"
        : null;

    /// <summary>Row of the architecture.</summary>
    public Architecture Architecture { get; }

    /// <summary>What the folder calls its weights.</summary>
    public WeightNames Names { get; }

    /// <summary>The configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>Content of <c>generation_config.json</c>; null when there is none.</summary>
    public JsonObject? GenerationConfig { get; }

    /// <summary>The weights.</summary>
    public SafetensorsFolder Weights { get; }

    /// <summary>Element type that most weights are stored in, those in codes of few bits left out.</summary>
    public DType StoredDType => Weights.Names
        .Where(name => Config.Quantization is null || (!BitsandbytesTensors.IsBeside(name) && !BitsandbytesTensors.AreIn(Weights, name)))
        .Where(name => ElementTypes.DTypeOf(Weights.Entry(name).DTypeName) is { } type && type.IsFloatingPoint())
        .GroupBy(name => ElementTypes.DTypeOf(Weights.Entry(name).DTypeName)!.Value)
        .MaxBy(group => group.Sum(name => Weights.Entry(name).ElementCount))?.Key ?? DType.Float32;

    /// <summary>The codes of few bits that a model of this folder has: those asked for, or those that the files hold already.</summary>
    /// <exception cref="UserErrorException">Others are asked for than the files hold.</exception>
    internal QuantizationConfig? Quantization(QuantizationConfig? asked)
    {
        if (asked is not null && Config.Quantization is { } held && held.Format != asked.Format)
            throw new UserErrorException($"{Path}: the weights are in {held.Format.Name} already; they cannot be put into "
                + $"{asked.Format.Name}. Use the full-precision checkpoint.");
        return Config.Quantization ?? (asked is null ? null : asked with
        {
            SkippedModules = [.. asked.SkippedModules.Union(new[] { Names.Head, Names.Experts?.Router }.OfType<string>())],
        });
    }

    /// <summary>Closes the files; models over them must be gone.</summary>
    public void Dispose() => Weights.Dispose();

    /// <summary>Frees a model's weights and what gradients they still have.</summary>
    internal static void Free(IEnumerable<WeightSlot> slots)
    {
        foreach (var slot in slots)
        {
            foreach (var parameter in slot.Weight.Parameters)
                parameter.ZeroGrad();
            slot.Weight.Dispose();
            slot.Settle();
        }
    }

    /// <summary>
    /// Writes a model as transformers' <c>save_pretrained</c> does. Fields of the source configuration that nobody here knows
    /// are kept.
    /// </summary>
    internal static void Save(
        string folder, ModelConfig config, string className, JsonObject? generation, SpecialTokenIds? special,
        IReadOnlyList<WeightSlot> slots, WeightMap map, DType dtype, Func<Parameter, Tensor>? values)
    {
        Directory.CreateDirectory(folder);
        using var scope = new TensorScope();
        var quantized = slots.SelectMany(slot => slot.Weight.Quantized).ToList();
        NamedTensor[] tensors =
        [
            .. map.ToFiles(slots.SelectMany(slot => slot.Weight.Parameters), dtype, values), .. quantized.SelectMany(map.ToFiles),
        ];
        SafetensorsFolderWriter.Write(folder, tensors);
        var json = SavedConfig(quantized.Count > 0 ? config : config with { Quantization = null }, className, dtype);
        special?.WriteTo(json);
        ConfigFile.Write(System.IO.Path.Combine(folder, ConfigFile.Name), json);
        if (className == ArchitectureTable.Rows[config.ModelType].CausalClass)
        {
            var defaults = generation?.DeepClone().AsObject() ?? GenerationDefaults(config);
            special?.WriteTo(defaults);
            ConfigFile.Write(System.IO.Path.Combine(folder, ConfigFile.GenerationName), defaults);
        }
    }

    private static JsonObject SavedConfig(ModelConfig config, string className, DType dtype)
    {
        var json = config.Source.DeepClone().AsObject();
        json["model_type"] = config.ModelType;
        json["architectures"] = new JsonArray(className);
        // transformers 5 renamed the field; a config keeps the spelling it came with, and both where it has both.
        if (json.ContainsKey("dtype"))
            json["dtype"] = dtype.Name();
        if (!json.ContainsKey("dtype") || json.ContainsKey("torch_dtype"))
            json["torch_dtype"] = dtype.Name();
        if (config.Quantization is not { } quantization)
            json.Remove(QuantizationConfig.Key);
        else if (!json.ContainsKey(QuantizationConfig.Key))
            json[QuantizationConfig.Key] = quantization.ToJson(dtype);
        json["use_cache"] = true;
        json["vocab_size"] = config.VocabularySize;
        return json;
    }

    private static JsonObject GenerationDefaults(ModelConfig config)
    {
        var json = new JsonObject { ["_from_model_config"] = true };
        foreach (var key in new[] { "bos_token_id", "eos_token_id", "pad_token_id" })
        {
            if (config.Source[key] is { } id)
                json[key] = id.DeepClone();
        }
        return json;
    }
}
