using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>SmolLM 3: Llama's blocks, every fourth of which does not turn by position (arXiv:2501.18795).</summary>
internal static class SmolLm3Architecture
{
    internal static Architecture Row { get; } = new(Read) { ModelType = "smollm3", ClassStem = "SmolLM3" };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 2048, heads: 16, keyValueHeads: 4, positions: 32768);
        var bias = json.Flag("attention_bias", false);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-6));
        var attention = fields.Attention(bias, bias, theta: 2e6);
        var feedForward = fields.FeedForward(width: 11008) with { HasBias = json.Flag("mlp_bias", false) };
        var turns = Turns(json, json.LayerCount("num_hidden_layers", 36));
        var length = json.OptionalIntegerOr("sliding_window", null);
        var windows = LayerWindows.Read(json, turns.Count, json.Flag("use_sliding_window", false) ? length : null,
            otherwise: i => !turns[i]);
        var layers = turns.Zip(windows, (turned, window) => new LayerConfig
        {
            Attention = attention with { Rotary = turned ? attention.Rotary : null, Window = window },
            FeedForward = feedForward,
            Norms = LayerNorms.Before(norm),
        });
        return fields.Model("smollm3", vocabulary: 128256, [.. layers], norm, tied: true, pad: 128004);
    }

    /// <summary>Which layers turn by position: 1 in <c>no_rope_layers</c>, or all but every n-th.</summary>
    private static IReadOnlyList<bool> Turns(ConfigReader json, int layers)
    {
        var interval = json.Integer("no_rope_layer_interval", 4);
        json.Ignore("no_rope_layers");
        if (json.Json["no_rope_layers"] is not { } node)
            return [.. Enumerable.Range(0, layers).Select(i => (i + 1) % interval != 0)];
        if (node is JsonArray list && list.Count == layers
            && list.All(item => item?.GetValueKind() == JsonValueKind.Number && item.ToJsonString() is "0" or "1"))
            return [.. list.Select(item => item!.ToJsonString() == "1")];
        return json.Problem<IReadOnlyList<bool>>("no_rope_layers",
            $"must be a list of {layers} numbers, 1 where a layer turns by position and 0 where not", [.. new bool[layers]]);
    }
}
