using Handbook.Autograd;
using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>
/// Gemma (arXiv:2403.08295): Llama's blocks with GeGLU, norms whose weights are stored as an offset from 1, embeddings times the root of
/// their width. Gemma 2 (arXiv:2408.00118) has norms around both blocks, a window in every other layer, capped scores and logits.
/// </summary>
internal static class GemmaArchitecture
{
    internal static Architecture First { get; } = new(ReadFirst) { ModelType = "gemma", ClassStem = "Gemma" };

    internal static Architecture Second { get; } = new(ReadSecond)
    {
        ModelType = "gemma2",
        ClassStem = "Gemma2",
        Names = new WeightNames
        {
            Norms = new("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"),
        },
    };

    private static ModelConfig ReadFirst(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 3072, heads: 16, keyValueHeads: 16, positions: 8192, headDim: 256);
        var bias = json.Flag("attention_bias", false);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-6)) { IsOffset = true };
        var layer = new LayerConfig
        {
            Attention = fields.Attention(bias, bias),
            FeedForward = new FeedForwardConfig(json.Integer("intermediate_size", 24576), FirstActivation(json)),
            Norms = LayerNorms.Before(norm),
        };
        return fields.Model("gemma", vocabulary: 256000, fields.Repeat(28, layer), norm, tied: true, pad: 0) with
        {
            Embedding = new EmbeddingConfig { Scale = Math.Sqrt(fields.HiddenSize) },
        };
    }

    // The first checkpoints said "gelu" and meant its tanh form; the field that came later says so.
    private static ActivationKind FirstActivation(ConfigReader json)
    {
        var older = DecoderFields.Activation(json, "hidden_act", "gelu_pytorch_tanh");
        return json.Json["hidden_activation"] is null && older != ActivationKind.Gelu
            ? older
            : DecoderFields.Activation(json, "hidden_activation", "gelu_pytorch_tanh");
    }

    private static ModelConfig ReadSecond(ConfigReader json)
    {
        var fields = DecoderFields.Read(json, hidden: 2304, heads: 8, keyValueHeads: 4, positions: 8192, headDim: 256);
        var bias = json.Flag("attention_bias", false);
        var norm = new NormConfig(NormKind.RootMeanSquare, json.Number("rms_norm_eps", 1e-6)) { IsOffset = true };
        var everywhere = fields.Attention(bias, bias) with
        {
            Scale = 1 / Math.Sqrt(json.Number("query_pre_attn_scalar", 256)),
            SoftCap = json.OptionalNumber("attn_logit_softcapping", 50),
        };
        var feedForward = fields.FeedForward(width: 9216, "hidden_activation", "gelu_pytorch_tanh");
        // transformers keeps the older field beside the one that counts.
        json.Ignore("hidden_act");
        var windows = LayerWindows.Read(json, json.LayerCount("num_hidden_layers", 26), json.OptionalIntegerOr("sliding_window", 4096),
            otherwise: i => i % 2 == 0);
        var layers = windows.Select(window => new LayerConfig
        {
            Attention = everywhere with { Window = window },
            FeedForward = feedForward,
            Norms = LayerNorms.Around(norm),
        });
        return fields.Model("gemma2", vocabulary: 256000, [.. layers], norm, tied: true, pad: 0) with
        {
            Embedding = new EmbeddingConfig { Scale = Math.Sqrt(fields.HiddenSize) },
            Head = new HeadConfig(json.Flag("tie_word_embeddings", true)) { SoftCap = json.OptionalNumber("final_logit_softcapping", 30) },
        };
    }
}
