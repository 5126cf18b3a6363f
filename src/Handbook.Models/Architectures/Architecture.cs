using System.Text.Json.Nodes;
using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>An architecture: how its configuration maps onto the shared decoder, and what its weights are called.</summary>
public sealed record Architecture
{
    private readonly Func<ConfigReader, string, ModelConfig> read;

    internal Architecture(Func<ConfigReader, string, ModelConfig> read) => this.read = read;

    /// <summary>transformers' <c>model_type</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>The class in transformers with a language-model head, such as <c>LlamaForCausalLM</c>.</summary>
    public required string CausalClass { get; init; }

    /// <summary>The class with a sequence-classification head.</summary>
    public required string ClassificationClass { get; init; }

    /// <summary>Names of the weights.</summary>
    public required WeightNames Names { get; init; }

    /// <summary>Reads a configuration.</summary>
    /// <param name="json">The content of <c>config.json</c>.</param>
    /// <param name="path">Its name for messages.</param>
    /// <exception cref="UserErrorException">Fields that are missing, wrong or unknown: all of them, one a line.</exception>
    public ModelConfig ReadConfig(JsonObject json, string path)
    {
        // Numbers that a recipe's YAML made hold other types than parsed ones, which is what the reader asks for.
        json = JsonNode.Parse(json.ToJsonString())!.AsObject();
        var reader = new ConfigReader(json, path);
        if (json["quantization_config"] is not null)
            reader.Problem("quantization_config", "is given: weights that are quantised already are not supported; use the full-precision checkpoint", 0);
        var config = read(reader, path);
        reader.Ignore("quantization_config");
        return config with { UnknownFields = reader.Finish(ModelType) };
    }
}

/// <summary>Names of a decoder's weights in a checkpoint, without <c>.weight</c> and <c>.bias</c>.</summary>
public sealed record WeightNames
{
    /// <summary>Prefix of everything but the head; a checkpoint of the bare model lacks it.</summary>
    public required string Base { get; init; }

    /// <summary>The embedding.</summary>
    public required string Embedding { get; init; }

    /// <summary>A layer's prefix before its number.</summary>
    public required string Layers { get; init; }

    /// <summary>In a layer: the norm before attention.</summary>
    public required string AttentionNorm { get; init; }

    /// <summary>In a layer: query, key, value and output projections.</summary>
    public required (string Query, string Key, string Value, string Output) Attention { get; init; }

    /// <summary>In a layer: the norm before the feed-forward block.</summary>
    public required string FeedForwardNorm { get; init; }

    /// <summary>In a layer: gate, up and down projections.</summary>
    public required (string Gate, string Up, string Down) FeedForward { get; init; }

    /// <summary>The norm after the last layer.</summary>
    public required string FinalNorm { get; init; }

    /// <summary>The language-model head.</summary>
    public string Head { get; init; } = "lm_head";

    /// <summary>The sequence-classification head.</summary>
    public string Score { get; init; } = "score";
}
