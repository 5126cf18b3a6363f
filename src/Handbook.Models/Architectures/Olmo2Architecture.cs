using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>OLMo 2 (arXiv:2501.00656): norms behind the blocks instead of in front,
/// queries and keys normalised over the whole projection.</summary>
internal static class Olmo2Architecture
{
    internal static Architecture Row { get; } = new(Read)
    {
        ModelType = "olmo2",
        ClassStem = "Olmo2",
        Names = new WeightNames { Norms = new("", "post_attention_layernorm", "", "post_feedforward_layernorm") },
    };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 4096, heads: 32, keyValueHeads: null, positions: 2048);
        var bias = json.Flag("attention_bias", false);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-5));
        var layer = new LayerConfig
        {
            Attention = fields.Attention(bias, bias) with { QueryKeyNorm = new QueryKeyNorm(norm, IsPerHead: false) },
            FeedForward = fields.FeedForward(width: 11008),
            Norms = LayerNorms.After(norm),
        };
        return fields.Model("olmo2", vocabulary: 50304, fields.Repeat(32, layer), norm, tied: false, pad: 1);
    }
}
