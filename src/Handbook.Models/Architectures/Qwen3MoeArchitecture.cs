using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>Qwen 3's mixtures (arXiv:2505.09388): Qwen 3's attention, with many small experts in some or all layers.</summary>
internal static class Qwen3MoeArchitecture
{
    private static readonly WeightNames Apart = new()
    {
        Experts = new("mlp.gate", ["mlp.experts.*.gate_proj", "mlp.experts.*.up_proj"], "mlp.experts.*.down_proj"),
    };

    internal static Architecture Row { get; } = new(Read)
    {
        ModelType = "qwen3_moe",
        ClassStem = "Qwen3Moe",
        Names = Apart,
        OtherNames = [Apart with { Experts = ExpertNames.Joined }],
    };

    private static ModelConfig Read(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 2048, heads: 32, keyValueHeads: 4, positions: 32768);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-6));
        var bias = json.Flag("attention_bias", false);
        var length = json.OptionalIntegerOr("sliding_window", 4096);
        var attention = fields.Attention(bias, bias) with
        {
            QueryKeyNorm = new QueryKeyNorm(norm, IsPerHead: true),
            Window = json.Flag("use_sliding_window", false) ? length : null,
        };
        // Written by some releases; transformers' mixture has the window in all layers or in none.
        json.Ignore("max_window_layers");
        var dense = fields.FeedForward(width: 6144);
        var routed = dense with
        {
            Width = json.Integer("moe_intermediate_size", 768),
            Routing = DecoderFields.Routing(json, experts: 128, chosen: 8, json.Flag("norm_topk_prob", false)),
        };
        var layers = AreRouted(json, json.LayerCount("num_hidden_layers", 24)).Select(isRouted => new LayerConfig
        {
            Attention = attention,
            FeedForward = isRouted ? routed : dense,
            Norms = LayerNorms.Before(norm),
        });
        return fields.Model("qwen3_moe", vocabulary: 151936, [.. layers], norm, tied: false) with
        {
            RouterAuxLossCoefficient = DecoderFields.RouterAuxLossCoefficient(json),
        };
    }

    /// <summary>Every n-th layer, but for those that are named.</summary>
    private static IEnumerable<bool> AreRouted(ConfigReader json, int layers)
    {
        var step = json.Integer("decoder_sparse_step", 1);
        var dense = json.LayerNumbers("mlp_only_layers");
        return Enumerable.Range(0, layers).Select(i => (i + 1) % step == 0 && !dense.Contains(i));
    }
}
