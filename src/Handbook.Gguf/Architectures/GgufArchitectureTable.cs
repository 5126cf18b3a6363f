using Handbook.Autograd;
using Handbook.Models.Configuration;

namespace Handbook.Gguf.Architectures;

/// <summary>The architectures that llama.cpp knows: one row each.</summary>
internal static class GgufArchitectureTable
{
    // The sizes for which llama.cpp takes the share of a head in the stream's width.
    private const int LargestGemma2 = 46;
    private const int LargestGemma3 = 62;

    private static readonly GgufArchitecture Llama = new("llama", "llama")
    {
        TurnsNeighbours = true,
        ReadsFrequencies = true,
        QueryKeyValueBias = BiasRule.Optional,
        OutputBias = BiasRule.Optional,
        FeedForwardBias = BiasRule.Optional,
    };

    private static readonly GgufArchitecture Gemma = new("gemma", "gemma") { Activation = ActivationKind.GeluTanh, Head = HeadRule.Tied };

    /// <summary>Rows by <c>model_type</c>.</summary>
    public static IReadOnlyDictionary<string, GgufArchitecture> Rows { get; } = new[]
    {
        Llama,
        Llama with { ModelType = "mistral" },
        Llama with { ModelType = "mixtral", Routes = true, FeedForwardBias = BiasRule.Never },
        Gemma,
        Gemma with { ModelType = "gemma2", Name = "gemma2", Windows = i => i % 2 == 0, Caps = true, Scale = config =>
            GemmaScale(config, LargestGemma2) },
        new("gemma3_text", "gemma3")
        {
            Activation = ActivationKind.GeluTanh,
            Head = HeadRule.Tied,
            Windows = i => (i + 1) % 6 != 0,
            WindowTheta = 10000,
            Scale = config => GemmaScale(config, LargestGemma3),
        },
        new("cohere2", "cohere2")
        {
            Windows = i => (i + 1) % 4 != 0,
            Turns = i => (i + 1) % 4 != 0,
            HeadsFillWidth = true,
            Head = HeadRule.Tied,
            ScalesLogits = true,
        },
        new("qwen2", "qwen2") { HeadsFillWidth = true, QueryKeyValueBias = BiasRule.Always },
        new("qwen3", "qwen3"),
        new("qwen3_moe", "qwen3moe") { Routes = true },
        new("gpt_oss", "gpt-oss")
        {
            Routes = true,
            Windows = i => i % 2 == 0,
            Clamp = new GateClamp(1.702, 7),
            FeedForwardNorm = "post_attention_norm",
            Head = HeadRule.Own,
            QueryKeyValueBias = BiasRule.Always,
            OutputBias = BiasRule.Always,
            FeedForwardBias = BiasRule.Always,
        },
        new("smollm3", "smollm3") { TurnsNeighbours = true, Turns = i => (i + 1) % 4 != 0 },
        new("starcoder2", "starcoder2")
        {
            Activation = ActivationKind.GeluTanh,
            HeadsFillWidth = true,
            QueryKeyValueBias = BiasRule.Always,
            OutputBias = BiasRule.Always,
            FeedForwardBias = BiasRule.Always,
        },
        new("phi3", "phi3") { HeadsFillWidth = true, TurnsParts = true },
        new("olmo2", "olmo2") { HeadsFillWidth = true, Head = HeadRule.Own },
        new("gpt2", "gpt2")
        {
            Activation = ActivationKind.GeluTanh,
            Turns = _ => false,
            HeadsFillWidth = true,
            QueryKeyValueBias = BiasRule.Always,
            OutputBias = BiasRule.Always,
            FeedForwardBias = BiasRule.Always,
        },
    }.ToDictionary(row => row.ModelType);

    /// <summary>The row of an architecture.</summary>
    /// <param name="modelType">transformers' <c>model_type</c>.</param>
    /// <param name="path">Where it stands, for the message.</param>
    /// <exception cref="UserErrorException">llama.cpp does not know it, or nobody has written its row.</exception>
    public static GgufArchitecture Find(string modelType, string path) => Rows.TryGetValue(modelType, out var row) ? row
        : throw new UserErrorException($"{path}: model_type \"{modelType}\" cannot be written as GGUF; "
            + $"{string.Join(", ", Rows.Keys.Order(StringComparer.Ordinal))} can.{NearestName.Hint(modelType, Rows.Keys)}");

    private static double GemmaScale(ModelConfig config, int largest)
    {
        var attention = config.Layers[0].Attention;
        return 1 / Math.Sqrt(config.Layers.Count == largest ? config.HiddenSize / attention.HeadCount : attention.HeadDim);
    }
}
