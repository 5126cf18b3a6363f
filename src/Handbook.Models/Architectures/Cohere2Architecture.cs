using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>
/// Command R7B (arXiv:2504.00698): both blocks read one LayerNorm without bias, three layers in four look through a window and turn by
/// position, the fourth sees all and does not turn; neighbouring elements of a head are turned together, and logits are scaled.
/// </summary>
internal static class Cohere2Architecture
{
    internal static Architecture Row { get; } = new(Read)
    {
        ModelType = "cohere2",
        ClassStem = "Cohere2",
        Names = new WeightNames { Norms = new("input_layernorm", "", "", "") },
    };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 8192, heads: 64, keyValueHeads: null, positions: 8192);
        if (fields.HeadDim * fields.HeadCount != fields.HiddenSize && json.AreSound("hidden_size", "num_attention_heads", "head_dim"))
            json.Problem("head_dim", $"({fields.HeadDim}) must be hidden_size / num_attention_heads, which is what transformers takes", 0);
        CheckForm(json);
        var rotary = RotaryReader.Read(json, fields.HeadDim, fields.MaxPositions) with { TurnsNeighbours = true };
        if (rotary.Width != fields.HeadDim)
            json.Problem("partial_rotary_factor", "is not 1, which is not supported", 0);
        var bias = json.Flag("attention_bias", false);
        var attention = fields.Attention(rotary, bias, bias);
        var feedForward = fields.FeedForward(width: 22528);
        var norm = new NormConfig(NormKind.Layer, json.Number("layer_norm_eps", 1e-5));
        var pattern = json.Integer("sliding_window_pattern", 4);
        var windows = LayerWindows.Read(json, json.LayerCount("num_hidden_layers", 40), json.OptionalIntegerOr("sliding_window", 4096),
            otherwise: i => (i + 1) % pattern != 0);
        var layers = windows.Select(window => new LayerConfig
        {
            Attention = attention with { Window = window, Rotary = window is null ? null : rotary },
            FeedForward = feedForward,
            Norms = new LayerNorms(norm, null, null, null),
            IsParallel = true,
        });
        return fields.Model("cohere2", vocabulary: 256000, [.. layers], norm, tied: true, pad: 0) with
        {
            Head = new HeadConfig(json.Flag("tie_word_embeddings", true)) { LogitScale = json.Number("logit_scale", 0.0625) },
        };
    }

    // Written into the published checkpoints, where each has the value that is the only form here; transformers reads none of them.
    private static void CheckForm(ConfigReader json)
    {
        json.Expect("rotary_pct", 1);
        json.Expect("use_embedding_sharing", true);
        json.Expect("use_gated_activation", true);
        json.Expect("use_parallel_block", true);
        json.Expect("use_parallel_embedding", false);
        json.Expect("use_qk_norm", false);
        json.Ignore("layer_switch", "order_of_interleaved_layers", "position_embedding_type", "cache_implementation");
    }
}
