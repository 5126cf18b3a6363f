using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>
/// Qwen 2 (arXiv:2407.10671): Llama's blocks with a bias on query, key and value. Qwen 3 (arXiv:2505.09388) normalises each head's
/// queries and keys instead. The upper layers may look through a window.
/// </summary>
internal static class QwenArchitecture
{
    internal static Architecture Second { get; } = new(json => Read(json, "qwen2")) { ModelType = "qwen2", ClassStem = "Qwen2" };

    internal static Architecture Third { get; } = new(json => Read(json, "qwen3")) { ModelType = "qwen3", ClassStem = "Qwen3" };

    private static ModelConfig Read(ConfigReader json, string modelType)
    {
        var isThird = modelType == "qwen3";
        var fields = DecoderFields.Read(json, hidden: 4096, heads: 32, keyValueHeads: 32, positions: 32768, headDim: isThird ? 128 : null);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-6));
        var bias = isThird && json.Flag("attention_bias", false);
        var attention = fields.Attention(queryKeyValueBias: bias || !isThird, outputBias: bias) with
        {
            QueryKeyNorm = isThird ? new QueryKeyNorm(norm, IsPerHead: true) : null,
        };
        var feedForward = fields.FeedForward(width: 22016);
        var layers = Windows(json).Select(window => new LayerConfig
        {
            Attention = attention with { Window = window },
            FeedForward = feedForward,
            Norms = LayerNorms.Before(norm),
        });
        return fields.Model(modelType, vocabulary: 151936, [.. layers], norm, tied: false);
    }

    private static IReadOnlyList<int?> Windows(ConfigReader json)
    {
        var length = json.OptionalIntegerOr("sliding_window", 4096);
        var from = json.Integer("max_window_layers", 28, least: 0);
        return LayerWindows.Read(json, json.LayerCount("num_hidden_layers", 32), json.Flag("use_sliding_window", false) ? length : null,
            otherwise: i => i >= from);
    }
}
