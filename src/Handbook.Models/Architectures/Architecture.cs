using System.Text.Json.Nodes;
using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>An architecture: how its configuration maps onto the shared decoder, and what its weights are called.</summary>
public sealed record Architecture
{
    private readonly Func<ConfigReader, ModelConfig> read;

    internal Architecture(Func<ConfigReader, ModelConfig> read) => this.read = read;

    /// <summary>transformers' <c>model_type</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Stem of the classes in transformers: <c>Llama</c> for <c>LlamaForCausalLM</c>.</summary>
    public required string ClassStem { get; init; }

    /// <summary>The class in transformers with a language-model head, such as <c>LlamaForCausalLM</c>.</summary>
    public string CausalClass { get => field ?? ClassStem + "ForCausalLM"; init; }

    /// <summary>The class with a sequence-classification head.</summary>
    public string ClassificationClass => ClassStem + "ForSequenceClassification";

    /// <summary>The class without a head.</summary>
    public string BaseClass => ClassStem + "Model";

    /// <summary>Further classes whose folders hold such a model among other things.</summary>
    public IReadOnlyList<string> OtherClasses { get; init; } = [];

    /// <summary>Names of the weights.</summary>
    public WeightNames Names { get; init; } = new();

    /// <summary>Other names that folders of this architecture may have for the same weights; each lays experts out in its way.</summary>
    public IReadOnlyList<WeightNames> OtherNames { get; init; } = [];

    /// <summary>The <c>quant_method</c> of files that are read, dequantised while loading; null for none.</summary>
    public string? QuantizationMethod { get; init; }

    /// <summary>The names that a folder has.</summary>
    /// <param name="stored">Names of its tensors.</param>
    public WeightNames NamesIn(IEnumerable<string> stored)
    {
        if (OtherNames.Count == 0)
            return Names;
        var present = stored.ToList();
        return OtherNames.FirstOrDefault(names => present.Any(name => EndsIn(name, names.Experts!))) ?? Names;

        static bool EndsIn(string name, ExpertNames experts) =>
            name.EndsWith(experts.Output + experts.WeightEnd, StringComparison.Ordinal);
    }

    /// <summary>Reads a configuration.</summary>
    /// <param name="json">The content of <c>config.json</c>.</param>
    /// <param name="path">Its name for messages.</param>
    /// <exception cref="UserErrorException">Fields that are missing, wrong or unknown: all of them, one a line.</exception>
    public ModelConfig ReadConfig(JsonObject json, string path)
    {
        // Numbers that a recipe's YAML made hold other types than parsed ones, which is what the reader asks for.
        json = JsonNode.Parse(json.ToJsonString())!.AsObject();
        var reader = new ConfigReader(json, path);
        var config = read(reader);
        // What an architecture's own files are packed in is unpacked while loading; the codes of others are weights of their own.
        if ((json["quantization_config"] as JsonObject)?["quant_method"]?.ToString() is { } method && method == QuantizationMethod)
            reader.Ignore("quantization_config");
        else
            config = config with { Quantization = QuantizationConfig.Read(reader) };
        return config with { UnknownFields = [.. config.UnknownFields, .. reader.Finish(ModelType)] };
    }
}
