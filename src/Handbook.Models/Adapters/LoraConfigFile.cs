using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Models.Configuration;

namespace Handbook.Models.Adapters;

/// <summary>PEFT's <c>adapter_config.json</c>. What it says and this program cannot do is refused by name, never left out.</summary>
internal static class LoraConfigFile
{
    internal const string Name = "adapter_config.json";

    // Fields that change nothing about a stored adapter, or that are read elsewhere.
    private static readonly string[] Harmless =
    [
        "auto_mapping", "inference_mode", "revision", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "megatron_config",
        "megatron_core", "runtime_config", "qalora_group_size", "velora_config",
    ];

    // Fields that make another computation of the same tensors, and what that is.
    private static readonly (string Key, string What)[] Refused =
    [
        ("lora_bias", "B has no bias here"), ("layer_replication", "layers that stand several times"),
        ("trainable_token_indices", "single rows of an embedding that are trained; train it whole with modules_to_save"),
        ("alora_invocation_tokens", "an adapter that begins at certain tokens"), ("use_qalora", "inputs that are pooled before A"),
        ("use_bdlora", "pairs of blocks"), ("arrow_config", "a router between adapters"), ("kasa_config", "a diagonal between A and B"),
        ("monteclora_config", "pairs that are sampled"),
    ];

    internal static LoraConfig Read(string path)
    {
        var json = new ConfigReader(ConfigFile.Read(path), path);
        if (json.String("peft_type", "LORA") is var kind and not "LORA")
            json.Problem("peft_type", $"is {kind}, which is not supported; LORA is", 0);
        json.Ignore(Harmless);
        foreach (var (key, what) in Refused)
            Refuse(json, key, what);
        if (json.Json["layers_pattern"] is not null && json.Json["layers_to_transform"] is null)
            json.Problem("layers_pattern", "names a list of layers without layers_to_transform, which would say which of them", 0);
        var config = new LoraConfig
        {
            Rank = json.Integer("r", 8),
            Alpha = Positive(json, "lora_alpha", json.Number("lora_alpha", 8)),
            Dropout = json.Probability("lora_dropout", 0),
            TargetModules = Pattern(json, "target_modules") ?? ModulePattern.OfNames([]),
            TargetParameters = json.Strings("target_parameters") ?? [],
            ExcludeModules = Pattern(json, "exclude_modules"),
            ModulesToSave = json.Strings("modules_to_save") ?? [],
            LayersToTransform = Numbers(json, "layers_to_transform"),
            LayersPattern = json.Json["layers_pattern"] is JsonValue ? [json.String("layers_pattern", "")] : json.Strings("layers_pattern"),
            RankPattern = Patterns(json, "rank_pattern", number => number >= 1 && number <= int.MaxValue && number == Math.Floor(number),
                "whole numbers of at least 1"),
            AlphaPattern = Patterns(json, "alpha_pattern", double.IsPositive, "positive numbers"),
            UseRsLora = json.Flag("use_rslora", false),
            UseDora = json.Flag("use_dora", false),
            EnsureWeightTying = json.Flag("ensure_weight_tying", false),
            Bias = json.Choice("bias", "none", Biases),
            Initialization = Start(json),
            FanInFanOut = json.Flag("fan_in_fan_out", false),
            TaskType = json.String("task_type", "CAUSAL_LM"),
            BaseModel = json.String("base_model_name_or_path", ""),
            PeftVersion = json.Json["peft_version"] is null ? null : json.String("peft_version", ""),
        };
        json.Finish("PEFT adapter");
        return config;
    }

    internal static JsonObject Write(LoraConfig config)
    {
        var json = Fields(config);
        if (config.EnsureWeightTying)
            json["ensure_weight_tying"] = true;
        if (config.TargetParameters.Count == 0)
            return json;
        json["target_parameters"] = Texts([.. config.TargetParameters.Order(StringComparer.Ordinal)]);
        // The release from which on a pair of a parameter stands as it does here.
        json["peft_version"] = ExpertPairLayout.Written;
        return json;
    }

    private static JsonObject Fields(LoraConfig config) => new()
    {
        ["alpha_pattern"] = Object(config.AlphaPattern),
        ["auto_mapping"] = null,
        ["base_model_name_or_path"] = config.BaseModel,
        ["bias"] = Biases.First(pair => pair.Value == config.Bias).Key,
        ["exclude_modules"] = Node(config.ExcludeModules),
        ["fan_in_fan_out"] = config.FanInFanOut,
        ["inference_mode"] = true,
        ["init_lora_weights"] = config.Initialization switch
        {
            LoraInitialization.Gaussian => "gaussian",
            LoraInitialization.Pissa => "pissa",
            LoraInitialization.Random => false,
            _ => true,
        },
        ["layer_replication"] = null,
        ["layers_pattern"] = Texts(config.LayersPattern),
        ["layers_to_transform"] = config.LayersToTransform is { } layers
            ? new JsonArray([.. layers.Select(layer => (JsonNode)layer)]) : null,
        ["loftq_config"] = new JsonObject(),
        ["lora_alpha"] = Number(config.Alpha),
        ["lora_bias"] = false,
        ["lora_dropout"] = config.Dropout,
        ["megatron_config"] = null,
        ["megatron_core"] = "megatron.core",
        ["modules_to_save"] = config.ModulesToSave.Count == 0 ? null : Texts(config.ModulesToSave),
        ["peft_type"] = "LORA",
        ["r"] = config.Rank,
        ["rank_pattern"] = Object(config.RankPattern),
        ["revision"] = null,
        ["target_modules"] = Node(config.TargetModules),
        ["task_type"] = config.TaskType,
        ["trainable_token_indices"] = null,
        ["use_dora"] = config.UseDora,
        ["use_rslora"] = config.UseRsLora,
    };

    internal static string? BeyondPairs(LoraConfig config) =>
        config.UseDora ? "use_dora: trained lengths of rows"
        : config.Initialization == LoraInitialization.Pissa ? "init_lora_weights: \"pissa\" changes the base's own weights" : null;

    private static Dictionary<string, LoraBias> Biases { get; } =
        new() { ["none"] = LoraBias.None, ["all"] = LoraBias.All, ["lora_only"] = LoraBias.LoraOnly };

    private static LoraInitialization Start(ConfigReader json)
    {
        if (json.Json["init_lora_weights"] is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
            return json.Flag("init_lora_weights", true) ? LoraInitialization.Default : LoraInitialization.Random;
        var word = json.String("init_lora_weights", "true");
        // These leave the base as it is; what they began with stands in the stored pair.
        if (word is "eva" or "orthogonal")
            return LoraInitialization.Default;
        return LoraConfig.InitializationOf(word) ?? json.Problem("init_lora_weights",
            $"is \"{word}\", which trains beside a changed base; convert the adapter with PEFT's path_initial_model_for_weight_conversion",
            LoraInitialization.Default);
    }

    private static ModulePattern? Pattern(ConfigReader json, string key)
    {
        if (json.Json[key] is JsonValue value && value.GetValueKind() == JsonValueKind.String)
            return ModulePattern.OfText(json.String(key, ""), $"{json.Path}: {key}");
        return json.Strings(key) is { } names ? ModulePattern.OfNames(names) : null;
    }

    private static IReadOnlyList<int>? Numbers(ConfigReader json, string key)
    {
        if (json.Json[key] is JsonArray list && list.All(item => item is JsonValue value && value.TryGetValue<int>(out _)))
        {
            json.Ignore(key);
            // PEFT takes none for all.
            return list.Count == 0 ? null : [.. list.Select(item => item!.GetValue<int>())];
        }
        return json.OptionalInteger(key) is { } one ? [one] : null;
    }

    private static IReadOnlyList<KeyValuePair<string, double>> Patterns(
        ConfigReader json, string key, Func<double, bool> isFit, string expected)
    {
        json.Ignore(key);
        if (json.Json[key] is null)
            return [];
        if (json.Json[key] is JsonObject map && map.All(pair => pair.Value is JsonValue value && value.TryGetValue<double>(out var number)
            && double.IsFinite(number) && number != 0 && isFit(number)))
            return [.. map.Select(pair => KeyValuePair.Create(pair.Key, pair.Value!.GetValue<double>()))];
        return json.Problem<IReadOnlyList<KeyValuePair<string, double>>>(key, $"must be a map of names to {expected}", []);
    }

    private static double Positive(ConfigReader json, string key, double number) => number > 0 || !json.AreSound(key) ? number
        : json.Problem(key, FormattableString.Invariant($"must be above 0, got {number}"), 1.0);

    private static void Refuse(ConfigReader json, string key, string what)
    {
        json.Ignore(key);
        if (json.Json[key] is { } node && !ConfigReader.IsNeutral(node))
            json.Problem(key, $"is set, which is not supported ({what})", 0);
    }

    private static JsonObject Object(IReadOnlyList<KeyValuePair<string, double>> patterns)
    {
        var map = new JsonObject();
        foreach (var (pattern, number) in patterns)
            map[pattern] = Number(number);
        return map;
    }

    // PEFT writes whole numbers without a point, and older versions want them so.
    private static JsonNode Number(double number) =>
        number == Math.Floor(number) && Math.Abs(number) < 1e9 ? (JsonNode)(long)number : number;

    private static JsonNode? Node(ModulePattern? pattern) =>
        pattern is null ? null : pattern.IsText ? pattern.Names[0] : Texts([.. pattern.Names.Order(StringComparer.Ordinal)]);

    private static JsonArray? Texts(IReadOnlyList<string>? texts) =>
        texts is null ? null : new JsonArray([.. texts.Select(text => (JsonNode)text)]);
}
