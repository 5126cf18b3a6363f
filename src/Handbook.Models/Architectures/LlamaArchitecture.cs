using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Configuration;

namespace Handbook.Models.Architectures;

/// <summary>Llama (arXiv:2302.13971 and its successors): RMSNorm, rotary positions, grouped-query attention, SwiGLU.</summary>
internal static class LlamaArchitecture
{
    private static readonly Dictionary<string, ActivationKind> Activations = new()
    {
        ["silu"] = ActivationKind.Silu,
        ["swish"] = ActivationKind.Silu,
        ["gelu"] = ActivationKind.Gelu,
        ["gelu_new"] = ActivationKind.GeluTanh,
        ["gelu_pytorch_tanh"] = ActivationKind.GeluTanh,
        ["relu"] = ActivationKind.Relu,
    };

    internal static Architecture Row { get; } = new(Read)
    {
        ModelType = "llama",
        CausalClass = "LlamaForCausalLM",
        ClassificationClass = "LlamaForSequenceClassification",
        Names = new WeightNames
        {
            Base = "model.",
            Embedding = "model.embed_tokens",
            Layers = "model.layers",
            AttentionNorm = "input_layernorm",
            Attention = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"),
            FeedForwardNorm = "post_attention_layernorm",
            FeedForward = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
            FinalNorm = "model.norm",
        },
    };

    private static ModelConfig Read(ConfigReader json, string path)
    {
        var hidden = json.Integer("hidden_size", 4096);
        var heads = json.Integer("num_attention_heads", 32);
        var keyValueHeads = json.OptionalInteger("num_key_value_heads", least: 1) ?? heads;
        if (heads % keyValueHeads != 0)
            json.Problem("num_key_value_heads", $"({keyValueHeads}) must divide num_attention_heads ({heads})", 0);
        var headDim = json.OptionalInteger("head_dim", least: 2) ?? HeadDim(json, hidden, heads);
        var positions = json.Integer("max_position_embeddings", 2048);
        var bias = json.Flag("attention_bias", false);
        // Only how products were once sliced among devices; the sum is the same.
        json.Ignore("pretraining_tp");
        RefuseInterleaved(json);
        var dropout = json.Number("attention_dropout", 0);
        if (dropout is < 0 or >= 1)
            json.Problem("attention_dropout", $"must lie in [0, 1), got {dropout}", 0);
        return new ModelConfig
        {
            ModelType = "llama",
            Source = json.Json,
            VocabularySize = json.Integer("vocab_size", 32000),
            HiddenSize = hidden,
            LayerCount = json.Integer("num_hidden_layers", 32),
            MaxPositions = positions,
            Norm = new NormConfig(json.Number("rms_norm_eps", 1e-6)),
            Attention = new AttentionConfig
            {
                HeadCount = heads,
                KeyValueHeadCount = keyValueHeads,
                HeadDim = headDim,
                QueryKeyValueBias = bias,
                OutputBias = bias,
                Scale = 1 / Math.Sqrt(headDim),
                Dropout = dropout,
            },
            Rotary = RotaryReader.Read(json, headDim, positions, path),
            FeedForward = new FeedForwardConfig(
                json.Integer("intermediate_size", 11008), json.Choice("hidden_act", "silu", Activations), json.Flag("mlp_bias", false)),
            TieEmbeddings = json.Flag("tie_word_embeddings", false),
            InitializerRange = json.Number("initializer_range", 0.02),
            PadTokenId = json.OptionalInteger("pad_token_id"),
            BosTokenId = json.OptionalInteger("bos_token_id"),
            EosTokenIds = json.TokenIds("eos_token_id"),
            LabelCount = LabelCount(json),
        };
    }

    // Written by one exporter into otherwise plain checkpoints; true would mean another layout of the weights.
    private static void RefuseInterleaved(ConfigReader json)
    {
        if (json.Flag("rope_interleaved", false))
            json.Problem("rope_interleaved", "is true, which is not supported: weights must be in the rotate-half layout", 0);
    }

    private static int HeadDim(ConfigReader json, int hidden, int heads) =>
        hidden % heads == 0 ? hidden / heads : json.Problem("hidden_size", $"({hidden}) must be a multiple of num_attention_heads ({heads}) when head_dim is absent", 2);

    private static int LabelCount(ConfigReader json) =>
        json.Json["num_labels"] is not null ? json.Integer("num_labels") : json.Json["id2label"] is JsonObject { Count: > 0 } labels ? labels.Count : 1;
}
