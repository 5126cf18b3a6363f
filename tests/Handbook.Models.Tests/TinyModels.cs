using System.Text.Json.Nodes;
using Handbook.Torch;

namespace Handbook.Models.Tests;

/// <summary>Random models of a few thousand weights with sizes that are no powers of two.</summary>
internal static class TinyModels
{
    /// <summary>A Llama config; fields given replace or add to it.</summary>
    internal static JsonObject Config(params (string Key, JsonNode? Value)[] fields)
    {
        var config = JsonNode.Parse("""
            {
              "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 131, "hidden_size": 72,
              "intermediate_size": 172, "num_hidden_layers": 3, "num_attention_heads": 9, "num_key_value_heads": 3,
              "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "initializer_range": 0.2, "tie_word_embeddings": false,
              "bos_token_id": 1, "eos_token_id": 2
            }
            """)!.AsObject();
        foreach (var (key, value) in fields)
            config[key] = value;
        return config;
    }

    internal static CausalLanguageModel Create(DType dtype = DType.Float32, params (string Key, JsonNode? Value)[] fields) =>
        CausalLanguageModel.Create(Config(fields), seed: 1, dtype);

    /// <summary>Prompts of different lengths.</summary>
    internal static int[][] Prompts(int count, int vocabulary = 131)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count)
            .Select(_ => Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.Next(3, vocabulary)).ToArray())];
    }
}
