using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>Llama (arXiv:2302.13971 and its successors): RMSNorm, rotary positions, grouped-query attention, SwiGLU.</summary>
internal static class LlamaArchitecture
{
    internal static Architecture Row { get; } = new(Read) { ModelType = "llama", ClassStem = "Llama" };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 4096, heads: 32, keyValueHeads: null, positions: 2048);
        RefuseInterleaved(json);
        var bias = json.Flag("attention_bias", false);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-6));
        var layer = new LayerConfig
        {
            Attention = fields.Attention(bias, bias),
            FeedForward = fields.FeedForward(width: 11008) with { HasBias = json.Flag("mlp_bias", false) },
            Norms = LayerNorms.Before(norm),
        };
        return fields.Model("llama", vocabulary: 32000, fields.Repeat(32, layer), norm, tied: false);
    }

    // Written by one exporter into otherwise plain checkpoints; true would mean another layout of the weights.
    private static void RefuseInterleaved(ConfigReader json)
    {
        if (json.Flag("rope_interleaved", false))
            json.Problem("rope_interleaved", "is true, which is not supported: weights must be in the rotate-half layout", 0);
    }
}
