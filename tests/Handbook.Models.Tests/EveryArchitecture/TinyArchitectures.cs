using System.Text.Json.Nodes;
using Handbook.Models.Architectures;
using Handbook.Torch;

namespace Handbook.Models.Tests.EveryArchitecture;

/// <summary>A tiny random model of each row of <see cref="ArchitectureTable"/>, with windows shorter than the tests' sequences.</summary>
internal static class TinyArchitectures
{
    internal const int Vocabulary = 61;

    // What a row needs beside the common fields to show all of its rules.
    private static readonly Dictionary<string, string> Extra = new()
    {
        ["mistral"] = """{"sliding_window":5}""",
        ["mixtral"] = """{"sliding_window":5,"num_local_experts":4,"num_experts_per_tok":2}""",
        ["gemma"] = """{"head_dim":16}""",
        ["gemma2"] = """{"head_dim":16,"sliding_window":5,"query_pre_attn_scalar":20}""",
        ["gemma3_text"] = """{"head_dim":16,"sliding_window":5,"sliding_window_pattern":2,"query_pre_attn_scalar":20}""",
        ["qwen2"] = """{"use_sliding_window":true,"sliding_window":5,"max_window_layers":1}""",
        ["qwen3"] = """{"head_dim":16,"use_sliding_window":true,"sliding_window":5,"max_window_layers":1}""",
        ["qwen3_moe"] = """
            {"head_dim":16,"num_experts":4,"num_experts_per_tok":2,"moe_intermediate_size":20,"mlp_only_layers":[1],
             "use_sliding_window":true,"sliding_window":5}
            """,
        ["smollm3"] = """{"no_rope_layer_interval":2,"pad_token_id":0}""",
        ["starcoder2"] = """{"sliding_window":5}""",
        ["phi3"] = """{"sliding_window":5,"pad_token_id":0}""",
        ["cohere2"] = """{"sliding_window":5,"sliding_window_pattern":2,"logit_scale":0.5}""",
        ["gpt_oss"] = """{"head_dim":16,"sliding_window":5,"num_local_experts":4,"num_experts_per_tok":2}""",
    };

    internal static TheoryData<string> Names() => [.. ArchitectureTable.Rows.Keys.Order(StringComparer.Ordinal)];

    internal static JsonObject Config(string modelType, bool? tied = null)
    {
        if (modelType == "gemma3")
            return new JsonObject { ["model_type"] = "gemma3", ["text_config"] = Config("gemma3_text", tied) };
        var config = JsonNode.Parse(modelType == "gpt2"
            ? """
              {"vocab_size":61,"n_embd":48,"n_head":4,"n_layer":3,"n_positions":64,"attn_pdrop":0.0,"resid_pdrop":0.0,
               "embd_pdrop":0.0}
              """
            : """
              {"vocab_size":61,"hidden_size":48,"intermediate_size":40,"num_hidden_layers":3,"num_attention_heads":4,
               "num_key_value_heads":2,"max_position_embeddings":64}
              """)!.AsObject();
        config["model_type"] = modelType;
        config["initializer_range"] = 0.2;
        config["eos_token_id"] = 2;
        foreach (var (key, value) in JsonNode.Parse(Extra.GetValueOrDefault(modelType, "{}"))!.AsObject())
            config[key] = value?.DeepClone();
        if (tied is { } flag)
            config["tie_word_embeddings"] = flag;
        return config;
    }

    /// <summary>A model whose norms and biases are no ones and zeros.</summary>
    internal static CausalLanguageModel Create(string modelType, bool? tied = null)
    {
        var model = CausalLanguageModel.Create(Config(modelType, tied), seed: 6, DType.Float32);
        var random = new Random(8);
        foreach (var parameter in model.Parameters.Where(parameter => parameter.Value.DimensionCount < 3))
        {
            using var scope = new TensorScope();
            var noise = Enumerable.Range(0, (int)parameter.Value.ElementCount).Select(_ => (float)(0.2 * (random.NextDouble() - 0.5)));
            parameter.Value.AddInPlace(Tensor.From<float>([.. noise], parameter.Value.Shape));
        }
        return model;
    }

    internal static int[] Tokens(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(3, Vocabulary))];
    }
}
