using System.Text.Json.Nodes;

namespace Handbook.Benchmarks;

/// <summary>Model shapes to measure with, by name; weights are random.</summary>
public static class ModelShape
{
    private static readonly Dictionary<string, Func<JsonObject>> Shapes = new(StringComparer.Ordinal)
    {
        // HuggingFaceTB/SmolLM2-135M, 360M and 1.7B: their published config.json.
        ["smollm2-135m"] = () => Llama(hidden: 576, layers: 30, heads: 9, keyValueHeads: 3, feedForward: 1536,
            vocabulary: 49152, theta: 100000),
        ["smollm2-360m"] = () => Llama(hidden: 960, layers: 32, heads: 15, keyValueHeads: 5, feedForward: 2560,
            vocabulary: 49152, theta: 100000),
        ["smollm2-1.7b"] = () => Llama(hidden: 2048, layers: 24, heads: 32, keyValueHeads: 32, feedForward: 8192,
            vocabulary: 49152, theta: 130000),
        ["tiny"] = () => Llama(hidden: 256, layers: 4, heads: 4, keyValueHeads: 2, feedForward: 768, vocabulary: 2048, theta: 10000),
    };

    /// <summary>Names of the shapes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Shapes.Keys];

    /// <summary>The <c>config.json</c> of a shape.</summary>
    /// <exception cref="UserErrorException">The name is unknown.</exception>
    public static JsonObject Find(string name) => Shapes.TryGetValue(name, out var make)
        ? make()
        : throw new UserErrorException(
            $"--shape: {name} is not a shape; there are {string.Join(", ", Names)}.{NearestName.Hint(name, Names)}");

    private static JsonObject Llama(
        int hidden, int layers, int heads, int keyValueHeads, int feedForward, int vocabulary, int theta) => new()
    {
        ["model_type"] = "llama",
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["hidden_size"] = hidden,
        ["intermediate_size"] = feedForward,
        ["num_hidden_layers"] = layers,
        ["num_attention_heads"] = heads,
        ["num_key_value_heads"] = keyValueHeads,
        ["vocab_size"] = vocabulary,
        ["max_position_embeddings"] = 8192,
        ["rms_norm_eps"] = 1e-5,
        ["rope_theta"] = theta,
        ["hidden_act"] = "silu",
        ["initializer_range"] = 0.041666666666666664,
        ["tie_word_embeddings"] = true,
        ["attention_bias"] = false,
        ["mlp_bias"] = false,
    };
}
