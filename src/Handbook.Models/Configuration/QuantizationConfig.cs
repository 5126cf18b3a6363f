using System.Text.Json.Nodes;
using Handbook.Autograd.Quantization;
using Handbook.Models.Architectures;
using Handbook.Models.Weights;
using Handbook.Torch;

namespace Handbook.Models.Configuration;

/// <summary>Which of a model's weights stand in codes of few bits, and in which: a configuration's <c>quantization_config</c>.</summary>
public sealed record QuantizationConfig
{
    /// <summary>The field of a <c>config.json</c>.</summary>
    internal const string Key = "quantization_config";

    private const string Method = "bitsandbytes";
    private const string DoubleMark = " double";
    private static readonly Dictionary<string, CodeFormat> FourBits = new[] { CodeFormat.NormalFloat4, CodeFormat.Float4 }
        .ToDictionary(format => format.Name);

    /// <summary>The codes.</summary>
    public required CodeFormat Format { get; init; }

    /// <summary>Whether the scales of 4-bit blocks are quantised too.</summary>
    public bool DoubleQuantization { get; init; }

    /// <summary>Modules that stay as they are, by name; embeddings, heads, norms and routers always do.</summary>
    public IReadOnlyList<string> SkippedModules { get; init; } = [];

    /// <summary>Codes of 4 bits by their name, <c>nf4</c> or <c>fp4</c>.</summary>
    /// <exception cref="KeyNotFoundException">It is another.</exception>
    public static CodeFormat FormatOf(string name) => FourBits[name];

    /// <summary>What <see cref="OfName"/> takes: the codes, and <c>double</c> where scales are quantised too.</summary>
    public string Name => Format.Name + (DoubleQuantization ? DoubleMark : "");

    /// <summary>The codes of a <see cref="Name"/>; null for one that nobody here knows.</summary>
    public static QuantizationConfig? OfName(string name)
    {
        var isDouble = name.EndsWith(DoubleMark, StringComparison.Ordinal);
        var codes = isDouble ? name[..^DoubleMark.Length] : name;
        if (codes == CodeFormat.Int8.Name && !isDouble)
            return new QuantizationConfig { Format = CodeFormat.Int8 };
        return FourBits.TryGetValue(codes, out var format)
            ? new QuantizationConfig { Format = format, DoubleQuantization = isDouble } : null;
    }

    /// <summary>What a configuration says; null when its weights are plain numbers. Other methods are a problem, by name.</summary>
    internal static QuantizationConfig? Read(ConfigReader reader)
    {
        if (reader.Object(Key) is not { } json)
            return null;
        if (Text(json, "quant_method") is { } method && method != Method)
            return reader.Problem<QuantizationConfig?>(
                Key, $"is of {method}, which is not supported; {Method} is. Use the full-precision checkpoint.", null);
        var isFour = Flag(json, "load_in_4bit");
        if (isFour == Flag(json, "load_in_8bit"))
            return reader.Problem<QuantizationConfig?>(Key, "must have one of load_in_4bit and load_in_8bit as true", null);
        if (isFour && Text(json, "bnb_4bit_quant_storage") is { } storage && storage != "uint8")
            return reader.Problem<QuantizationConfig?>(
                Key, $"has bnb_4bit_quant_storage {storage}, which is not supported; uint8 is", null);
        var type = Text(json, "bnb_4bit_quant_type") ?? CodeFormat.Float4.Name;
        if (isFour && !FourBits.ContainsKey(type))
            return reader.Problem<QuantizationConfig?>(
                Key, $"has bnb_4bit_quant_type \"{type}\"; {string.Join(" or ", FourBits.Keys)} is expected", null);
        return new QuantizationConfig
        {
            Format = isFour ? FourBits[type] : CodeFormat.Int8,
            DoubleQuantization = Flag(json, "bnb_4bit_use_double_quant"),
            SkippedModules = json["llm_int8_skip_modules"] is JsonArray names
                ? [.. names.OfType<JsonValue>().Select(name => name.ToString())] : [],
        };
    }

    /// <summary>As transformers writes it.</summary>
    /// <param name="dtype">The type that it computes in.</param>
    internal JsonObject ToJson(DType dtype) => new()
    {
        ["_load_in_4bit"] = Format.Bits == 4,
        ["_load_in_8bit"] = Format.Bits == 8,
        ["bnb_4bit_compute_dtype"] = dtype.Name(),
        ["bnb_4bit_quant_storage"] = "uint8",
        ["bnb_4bit_quant_type"] = Format.Bits == 4 ? Format.Name : CodeFormat.Float4.Name,
        ["bnb_4bit_use_double_quant"] = DoubleQuantization,
        ["llm_int8_enable_fp32_cpu_offload"] = false,
        ["llm_int8_has_fp16_weight"] = false,
        ["llm_int8_skip_modules"] = SkippedModules.Count == 0
            ? null : new JsonArray([.. SkippedModules.Select(name => JsonValue.Create(name))]),
        ["llm_int8_threshold"] = 6.0,
        ["load_in_4bit"] = Format.Bits == 4,
        ["load_in_8bit"] = Format.Bits == 8,
        ["quant_method"] = Method,
    };

    /// <summary>Whether a weight is put into codes: linear layers and experts are, routers and what is skipped are not.</summary>
    /// <param name="weight">Its name.</param>
    /// <param name="role">What it is for.</param>
    /// <param name="names">The architecture's names.</param>
    public bool Takes(string weight, WeightRole role, WeightNames names) =>
        role is WeightRole.Linear or WeightRole.Experts && !Skips(weight)
        && (names.Experts is not { } experts || !weight.EndsWith($".{experts.Router}.weight", StringComparison.Ordinal));

    /// <summary>Whether a weight's module is one of <see cref="SkippedModules"/> or lies in one.</summary>
    private bool Skips(string weight) =>
        SkippedModules.Any(module => $".{weight}".Contains($".{module}.", StringComparison.Ordinal));

    private static string? Text(JsonObject json, string key) =>
        json[key] is JsonValue value && value.GetValueKind() == System.Text.Json.JsonValueKind.String ? value.GetValue<string>() : null;

    private static bool Flag(JsonObject json, string key) => json[key]?.GetValueKind() == System.Text.Json.JsonValueKind.True;
}
