using System.Text.Json.Nodes;
using Handbook.Autograd;

namespace Handbook.Models.Configuration;

/// <summary>Fields that most configurations have under the same names, read and checked once for all.</summary>
internal sealed class DecoderFields
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

    private readonly ConfigReader json;

    private DecoderFields(ConfigReader json, int hidden, int heads, int keyValueHeads, int headDim, int positions)
    {
        this.json = json;
        (HiddenSize, HeadCount, KeyValueHeadCount, HeadDim, MaxPositions) = (hidden, heads, keyValueHeads, headDim, positions);
    }

    internal int HiddenSize { get; }

    internal int HeadCount { get; }

    internal int KeyValueHeadCount { get; }

    internal int HeadDim { get; }

    internal int MaxPositions { get; }

    /// <summary>Reads the sizes.</summary>
    /// <param name="json">The configuration.</param>
    /// <param name="hidden">Default of <c>hidden_size</c>.</param>
    /// <param name="heads">Default of <c>num_attention_heads</c>.</param>
    /// <param name="keyValueHeads">Default of <c>num_key_value_heads</c>; null for as many as query heads.</param>
    /// <param name="positions">Default of <c>max_position_embeddings</c>.</param>
    /// <param name="headDim">Default of <c>head_dim</c>; null for the share of a head in the hidden size.</param>
    internal static DecoderFields Read(ConfigReader json, int hidden, int heads, int? keyValueHeads, int positions, int? headDim = null)
    {
        hidden = json.Integer("hidden_size", hidden);
        heads = json.Integer("num_attention_heads", heads);
        var groups = json.OptionalInteger("num_key_value_heads", least: 1)
            ?? (json.Json.ContainsKey("num_key_value_heads") ? heads : keyValueHeads ?? heads);
        if (heads % groups != 0 && json.AreSound("num_attention_heads", "num_key_value_heads"))
            json.Problem("num_key_value_heads", $"({groups}) must divide num_attention_heads ({heads})", 0);
        var dim = json.OptionalInteger("head_dim", least: 2) ?? headDim ?? Share(json, hidden, heads);
        if ((long)dim * heads > int.MaxValue)
            json.Problem("head_dim", $"({dim}) times num_attention_heads ({heads}) is more than {int.MaxValue}", 0);
        // Only how products were once sliced among devices; the sum is the same.
        json.Ignore("pretraining_tp");
        return new DecoderFields(json, hidden, heads, groups, dim, json.Integer("max_position_embeddings", positions));
    }

    /// <summary>Attention over these sizes, turned by the configuration's rotary embedding, with the usual scale.</summary>
    internal AttentionConfig Attention(bool queryKeyValueBias = false, bool outputBias = false, double theta = 10000) =>
        Attention(RotaryReader.Read(json, HeadDim, MaxPositions, theta), queryKeyValueBias, outputBias);

    /// <summary>Attention over these sizes, turned by a given rotary embedding, with the usual scale.</summary>
    internal AttentionConfig Attention(RotaryConfig? rotary, bool queryKeyValueBias, bool outputBias) => new()
    {
        HeadCount = HeadCount,
        KeyValueHeadCount = KeyValueHeadCount,
        HeadDim = HeadDim,
        QueryKeyValueBias = queryKeyValueBias,
        OutputBias = outputBias,
        Rotary = rotary,
        Scale = 1 / Math.Sqrt(HeadDim),
        Dropout = json.Probability("attention_dropout", 0),
    };

    /// <summary>The feed-forward block of <c>intermediate_size</c> and an activation's field.</summary>
    internal FeedForwardConfig FeedForward(int width, string activationKey = "hidden_act", string activation = "silu") =>
        new(json.Integer("intermediate_size", width), Activation(json, activationKey, activation));

    /// <summary>The fields that say the same of every architecture, around its layers;
    /// defaults where the configuration is silent.</summary>
    internal ModelConfig Model(
        string modelType, int vocabulary, IReadOnlyList<LayerConfig> layers, NormConfig norm, bool tied, int? pad = null) => new()
    {
        ModelType = modelType,
        Source = json.Json,
        VocabularySize = json.Integer("vocab_size", vocabulary),
        HiddenSize = HiddenSize,
        MaxPositions = MaxPositions,
        Layers = layers,
        FinalNorm = norm,
        Head = new HeadConfig(json.Flag("tie_word_embeddings", tied)),
        InitializerRange = json.Number("initializer_range", 0.02),
        PadTokenId = json.Json.ContainsKey("pad_token_id") ? json.OptionalInteger("pad_token_id") : pad,
        BosTokenId = json.OptionalInteger("bos_token_id"),
        EosTokenIds = json.TokenIds("eos_token_id"),
        LabelCount = LabelCount(json),
    };

    /// <summary>How many experts there are and how many a token goes through, under either name of their number.</summary>
    internal static RoutingConfig Routing(ConfigReader json, int experts, int chosen, bool normalizes)
    {
        var key = json.Json.ContainsKey("num_experts") ? "num_experts" : "num_local_experts";
        experts = json.Integer(key, experts);
        json.Expect("num_local_experts", experts);
        chosen = json.Integer("num_experts_per_tok", chosen);
        if (chosen > experts)
            json.Problem("num_experts_per_tok", $"({chosen}) is more than {key} ({experts})", 0);
        return new RoutingConfig(experts, chosen, normalizes);
    }

    /// <summary>The balancing loss's factor, which counts only when the routers' logits are asked for.</summary>
    internal static double RouterAuxLossCoefficient(ConfigReader json)
    {
        var coefficient = json.Number("router_aux_loss_coef", 0.001);
        return json.Flag("output_router_logits", false) ? coefficient : 0;
    }

    /// <summary><c>num_hidden_layers</c> times the same layer.</summary>
    internal IReadOnlyList<LayerConfig> Repeat(int count, LayerConfig layer) =>
        [.. Enumerable.Repeat(layer, json.LayerCount("num_hidden_layers", count))];

    /// <summary>A field that names an activation.</summary>
    internal static ActivationKind Activation(ConfigReader json, string key, string absent) => json.Choice(key, absent, Activations);

    /// <summary>Outputs of a classification head: <c>num_labels</c>, or as many as there are names.</summary>
    internal static int LabelCount(ConfigReader json) =>
        json.Json["num_labels"] is not null ? json.Integer("num_labels")
            : json.Json["id2label"] is JsonObject { Count: > 0 } labels ? labels.Count : 1;

    private static int Share(ConfigReader json, int hidden, int heads) =>
        hidden % heads == 0 ? hidden / heads : !json.AreSound("hidden_size", "num_attention_heads") ? 2
            : json.Problem("hidden_size", $"({hidden}) must be a multiple of num_attention_heads ({heads}) when head_dim is absent", 2);
}
