using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>Phi 3 (arXiv:2404.14219): Llama's blocks with one matrix for query, key and value and one for gate and up.</summary>
internal static class Phi3Architecture
{
    internal static Architecture Row { get; } = new(Read)
    {
        ModelType = "phi3",
        ClassStem = "Phi3",
        Names = new WeightNames { QueryKeyValue = ["self_attn.qkv_proj"], FeedForwardInputs = ["mlp.gate_up_proj"] },
    };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 3072, heads: 32, keyValueHeads: null, positions: 4096);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-5));
        // Belongs to a scaling that is refused by name; the other is read by transformers and applied nowhere.
        json.Ignore("original_max_position_embeddings", "embd_pdrop");
        var layer = new LayerConfig
        {
            Attention = fields.Attention() with { Window = json.OptionalIntegerOr("sliding_window", null) },
            FeedForward = fields.FeedForward(width: 8192),
            Norms = LayerNorms.Before(norm),
            ResidualDropout = json.Probability("resid_pdrop", 0),
        };
        return fields.Model("phi3", vocabulary: 32064, fields.Repeat(32, layer), norm, tied: false, pad: 32000);
    }
}
