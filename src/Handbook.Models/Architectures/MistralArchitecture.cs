using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>
/// Mistral (arXiv:2310.06825): Llama's blocks, each looking through a window. Mixtral (arXiv:2401.04088) has routed experts in place of
/// the feed-forward block.
/// </summary>
internal static class MistralArchitecture
{
    internal static Architecture Dense { get; } = new(ReadDense) { ModelType = "mistral", ClassStem = "Mistral" };

    internal static Architecture Routed { get; } = new(ReadRouted)
    {
        ModelType = "mixtral",
        ClassStem = "Mixtral",
        Names = new WeightNames
        {
            Experts = new("block_sparse_moe.gate", ["block_sparse_moe.experts.*.w1", "block_sparse_moe.experts.*.w3"],
                "block_sparse_moe.experts.*.w2"),
        },
        OtherNames = [new WeightNames { Experts = ExpertNames.Joined }],
    };

    private static ModelConfig ReadDense(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 4096, heads: 32, keyValueHeads: 8, positions: 4096 * 32);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-6));
        var layer = new LayerConfig
        {
            Attention = fields.Attention() with { Window = json.OptionalIntegerOr("sliding_window", 4096) },
            FeedForward = fields.FeedForward(width: 14336),
            Norms = LayerNorms.Before(norm),
        };
        return fields.Model("mistral", vocabulary: 32000, fields.Repeat(32, layer), norm, tied: false);
    }

    private static ModelConfig ReadRouted(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 4096, heads: 32, keyValueHeads: 8, positions: 4096 * 32);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-5));
        var routing = DecoderFields.Routing(json, experts: 8, chosen: 2, normalizes: true);
        if (json.Number("router_jitter_noise", 0) != 0)
            json.Problem("router_jitter_noise", "is not 0, which is not supported: set it to 0", 0);
        var layer = new LayerConfig
        {
            Attention = fields.Attention(theta: 1e6) with { Window = json.OptionalIntegerOr("sliding_window", null) },
            FeedForward = fields.FeedForward(width: 14336) with { Routing = routing },
            Norms = LayerNorms.Before(norm),
        };
        return fields.Model("mixtral", vocabulary: 32000, fields.Repeat(32, layer), norm, tied: false) with
        {
            RouterAuxLossCoefficient = DecoderFields.RouterAuxLossCoefficient(json),
        };
    }
}
