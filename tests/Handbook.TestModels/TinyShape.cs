using System.Text.Json.Nodes;

namespace Handbook.TestModels;

/// <summary>A model of four layers that is made anew, with random weights.</summary>
public static class TinyShape
{
    /// <summary>Its <c>config.json</c>.</summary>
    public static JsonObject Config() => new()
    {
        ["model_type"] = "llama", ["hidden_size"] = 256, ["intermediate_size"] = 768,
        ["num_hidden_layers"] = 4, ["num_attention_heads"] = 4,
        ["num_key_value_heads"] = 2, ["vocab_size"] = 2048, ["max_position_embeddings"] = 8192,
        ["rms_norm_eps"] = 1e-5, ["rope_theta"] = 10000,
        ["initializer_range"] = 0.041666666666666664, ["tie_word_embeddings"] = true,
    };
}
