using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>StarCoder 2 (arXiv:2402.19173): rotary positions and grouped-query attention with LayerNorm,
/// biases and a plain feed-forward block.</summary>
internal static class Starcoder2Architecture
{
    internal static Architecture Row { get; } = new(Read)
    {
        ModelType = "starcoder2",
        ClassStem = "Starcoder2",
        Names = new WeightNames { FeedForwardInputs = ["mlp.c_fc"], FeedForwardOutput = "mlp.c_proj" },
    };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 3072, heads: 24, keyValueHeads: 2, positions: 4096);
        var bias = json.Flag("use_bias", true);
        var norm = new NormConfig(NormKind.Layer, json.Number("norm_epsilon", 1e-5)) { HasBias = true };
        // Written into some checkpoints; both name what is the only form here.
        json.Ignore("mlp_type", "norm_type");
        var layer = new LayerConfig
        {
            Attention = fields.Attention(bias, bias) with { Window = json.OptionalIntegerOr("sliding_window", null) },
            FeedForward = fields.FeedForward(width: 12288, activation: "gelu_pytorch_tanh") with { IsGated = false, HasBias = bias },
            Norms = LayerNorms.Before(norm),
            ResidualDropout = json.Probability("residual_dropout", 0),
        };
        return fields.Model("starcoder2", vocabulary: 49152, fields.Repeat(30, layer), norm, tied: true) with
        {
            Embedding = new EmbeddingConfig { Dropout = json.Probability("embedding_dropout", 0) },
        };
    }
}
