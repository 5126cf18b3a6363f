using Handbook.Models.Configuration;
using Handbook.Models.Weights;

namespace Handbook.Models.Architectures;

/// <summary>
/// GPT-2 (Radford et al. 2019): learned positions, LayerNorm with bias, one matrix for query, key and value, a plain feed-forward block,
/// matrices stored [inputs, outputs].
/// </summary>
internal static class Gpt2Architecture
{
    internal static Architecture Row { get; } = new(Read)
    {
        ModelType = "gpt2",
        ClassStem = "GPT2",
        CausalClass = "GPT2LMHeadModel",
        Names = new WeightNames
        {
            Base = "transformer.",
            Embedding = "transformer.wte",
            Positions = "transformer.wpe",
            Layers = "transformer.h",
            Norms = new("ln_1", "", "ln_2", ""),
            QueryKeyValue = ["attn.c_attn"],
            AttentionOutput = "attn.c_proj",
            FeedForwardInputs = ["mlp.c_fc"],
            FeedForwardOutput = "mlp.c_proj",
            FinalNorm = "transformer.ln_f",
            Projections = StoredForm.Transposed.Instance,
            Constants = [".attn.bias", ".attn.masked_bias"],
        },
    };

    private static ModelConfig Read(ConfigReader json)
    {
        var hidden = json.Integer("n_embd", 768);
        var heads = json.Integer("n_head", 12);
        var positions = json.Integer("n_positions", 1024);
        // n_ctx is n_positions' older name; the summary fields belong to heads that are not loaded; the last one changes rounding only.
        json.Ignore(
            "n_ctx", "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
            "reorder_and_upcast_attn");
        var headDim = hidden % heads == 0
            ? hidden / heads
            : json.Problem("n_embd", $"({hidden}) must be a multiple of n_head ({heads})", 2);
        var norm = new NormConfig(NormKind.Layer, json.Number("layer_norm_epsilon", 1e-5)) { HasBias = true };
        var attention = new AttentionConfig
        {
            HeadCount = heads,
            KeyValueHeadCount = heads,
            HeadDim = headDim,
            QueryKeyValueBias = true,
            OutputBias = true,
            Scale = json.Flag("scale_attn_weights", true) ? 1 / Math.Sqrt(headDim) : 1,
            Dropout = json.Probability("attn_pdrop", 0.1),
        };
        var feedForward = new FeedForwardConfig(
            json.OptionalInteger("n_inner", least: 1) ?? 4 * hidden,
            DecoderFields.Activation(json, "activation_function", "gelu_new")) { IsGated = false, HasBias = true };
        var dropout = json.Probability("resid_pdrop", 0.1);
        var byLayer = json.Flag("scale_attn_by_inverse_layer_idx", false);
        var layers = Enumerable.Range(0, json.LayerCount("n_layer", 12)).Select(i => new LayerConfig
        {
            Attention = byLayer ? attention with { Scale = attention.Scale / (i + 1) } : attention,
            FeedForward = feedForward,
            Norms = LayerNorms.Before(norm),
            ResidualDropout = dropout,
        });
        return new ModelConfig
        {
            ModelType = "gpt2",
            Source = json.Json,
            VocabularySize = json.Integer("vocab_size", 50257),
            HiddenSize = hidden,
            MaxPositions = positions,
            Embedding = new EmbeddingConfig { HasPositions = true, Dropout = json.Probability("embd_pdrop", 0.1) },
            Layers = [.. layers],
            FinalNorm = norm,
            Head = new HeadConfig(json.Flag("tie_word_embeddings", true)),
            InitializerRange = json.Number("initializer_range", 0.02),
            BosTokenId = json.OptionalInteger("bos_token_id"),
            EosTokenIds = json.TokenIds("eos_token_id"),
            LabelCount = DecoderFields.LabelCount(json),
        };
    }
}
