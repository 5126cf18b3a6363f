using System.Text.Json.Nodes;
using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Architectures;

/// <summary>
/// gpt-oss (arXiv:2508.10925): routed experts with biases and a clamped gate, a window in every other layer, and a learned sink in each
/// head's softmax. Published experts are MXFP4; they are dequantised while loading and saved without quantisation.
/// </summary>
internal static class GptOssArchitecture
{
    internal static Architecture Row { get; } = new(Read)
    {
        ModelType = "gpt_oss",
        ClassStem = "GptOss",
        QuantizationMethod = "mxfp4",
        Names = new WeightNames
        {
            Experts = ExpertNames.Joined with { Router = "mlp.router", Form = StoredForm.Transposed.Instance, Alternate = true },
        },
    };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 2880, heads: 64, keyValueHeads: 8, positions: 131072, headDim: 64);
        var bias = json.Flag("attention_bias", true);
        var rotary = RotaryReader.Read(json, fields.HeadDim, fields.MaxPositions, theta: 150000, absent: PublishedScaling());
        var attention = fields.Attention(rotary, bias, bias) with { HasSinks = true };
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-5));
        var feedForward = fields.FeedForward(width: 2880) with
        {
            HasBias = true,
            Clamp = new GateClamp(json.Number("swiglu_alpha", 1.702), json.Number("swiglu_limit", 7)),
            Routing = DecoderFields.Routing(json, experts: 128, chosen: 4, normalizes: true),
        };
        CheckForm(json, feedForward.Routing!);
        var windows = LayerWindows.Read(json, json.LayerCount("num_hidden_layers", 36), json.OptionalIntegerOr("sliding_window", 128),
            otherwise: i => i % 2 == 0);
        var layers = windows.Select(window => new LayerConfig
        {
            Attention = attention with { Window = window },
            FeedForward = feedForward,
            Norms = LayerNorms.Before(norm),
        });
        return fields.Model("gpt_oss", vocabulary: 201088, [.. layers], norm, tied: false) with
        {
            RouterAuxLossCoefficient = DecoderFields.RouterAuxLossCoefficient(json),
        };
    }

    // The second name is in the published configurations beside the first; the other is where rope_scaling's lengths come from.
    private static void CheckForm(ConfigReader json, RoutingConfig routing)
    {
        json.Expect("experts_per_token", routing.ExpertsPerToken);
        json.Ignore("initial_context_length");
        if (json.Json["hidden_act"] is { } activation && activation.ToString() != "silu")
            json.Problem("hidden_act", $"is {activation.ToJsonString()}; the gate is silu's", 0);
    }

    /// <summary>What transformers takes for a configuration that says nothing.</summary>
    private static JsonObject PublishedScaling() => new()
    {
        ["rope_type"] = "yarn", ["factor"] = 32.0, ["beta_fast"] = 32.0, ["beta_slow"] = 1.0, ["truncate"] = false,
        ["original_max_position_embeddings"] = 4096,
    };
}
