using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models.Architectures;
using Handbook.Models.Configuration;
using Handbook.TestSupport;

namespace Handbook.Models.Tests.Configuration;

public sealed class LlamaConfigTests
{
    [Fact]
    public void ReadConfig_OnlyModelType_HasTransformersDefaults()
    {
        var config = Read([]);

        Assert.Equal((32000, 4096, 32, 2048), (config.VocabularySize, config.HiddenSize, config.Layers.Count, config.MaxPositions));
        Assert.Single(config.Layers.Distinct());
        var (attention, feedForward) = (config.Layers[0].Attention, config.Layers[0].FeedForward);
        Assert.Equal((32, 32, 128), (attention.HeadCount, attention.KeyValueHeadCount, attention.HeadDim));
        Assert.Equal(1 / Math.Sqrt(128), attention.Scale);
        Assert.Equal(new FeedForwardConfig(11008, ActivationKind.Silu), feedForward);
        Assert.Equal(new RotaryConfig(10000, 128), attention.Rotary);
        var norm = new NormConfig(NormKind.RootMeanSquare, 1e-6);
        Assert.Equal(LayerNorms.Before(norm), config.Layers[0].Norms);
        Assert.Equal(norm, config.FinalNorm);
        Assert.Equal(new HeadConfig(IsTied: false), config.Head);
    }

    [Theory]
    [InlineData("""{"rope_type": "default"}""", "None")]
    [InlineData("""{"type": "linear", "factor": 2.0}""", "Linear { Factor = 2 }")]
    [InlineData("""{"rope_type": "dynamic", "factor": 3, "type": "dynamic"}""", "Dynamic { Factor = 3, TrainedLength = 2048 }")]
    [InlineData("""{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512, "beta_fast": 16}""",
        "Yarn { Factor = 4, TrainedLength = 512, AttentionFactor = 1.138629436111989, BetaFast = 16, BetaSlow = 1, Truncate = True }")]
    [InlineData("""{"rope_type": "yarn", "original_max_position_embeddings": 512}""",
        "Yarn { Factor = 4, TrainedLength = 512, AttentionFactor = 1.138629436111989, BetaFast = 32, BetaSlow = 1, Truncate = True }")]
    [InlineData(
        """
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
        """,
        "Llama3 { Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4, TrainedLength = 64 }")]
    public void ReadConfig_RopeScaling_IsUnderstoodInBothSpellings(string scaling, string expected)
    {
        var old = Read([("rope_scaling", JsonNode.Parse(scaling)), ("rope_theta", 5e5)]);
        var parameters = JsonNode.Parse(scaling)!.AsObject();
        parameters["rope_theta"] = 5e5;
        var current = Read([("rope_parameters", parameters)]);

        var (first, second) = (old.Layers[0].Attention.Rotary!, current.Layers[0].Attention.Rotary!);
        Assert.StartsWith(expected, first.Scaling.ToString(), StringComparison.Ordinal);
        Assert.Equal(5e5, second.Theta);
        Assert.Equal(first, second);
    }

    public static TheoryData<string, string, string> Refused() => new()
    {
        { "hidden_act", "\"silo\"",
            "hidden_act is \"silo\", which is not supported; silu, swish, gelu, gelu_new, gelu_pytorch_tanh, relu are. Did you mean "
                + "silu?" },
        { "hidden_size", "\"64\"", "hidden_size must be a whole number of at least 1, got \"64\"" },
        { "hidden_size", "100", "hidden_size (100) must be a multiple of num_attention_heads (32)" },
        { "num_key_value_heads", "5", "num_key_value_heads (5) must divide num_attention_heads (32)" },
        { "num_hidden_layers", "0", "num_hidden_layers must be a whole number of at least 1, got 0" },
        { "attention_bias", "1", "attention_bias must be true or false, got 1" },
        { "attention_dropout", "1.5", "attention_dropout must lie in [0, 1), got 1.5" },
        { "rms_norm_eps", "null", "" },
        { "sliding_window", "4096", "sliding_window (4096) is not a field that llama has here" },
        { "logit_scale", "0.5", "logit_scale (0.5) is not a field that llama has here" },
        { "attn_logit_softcapping", "50.0", "attn_logit_softcapping (50.0) is not a field" },
        { "rope_interleaved", "true", "rope_interleaved is true, which is not supported" },
        { "partial_rotary_factor", "0.01", "partial_rotary_factor turns 1 of 128 elements" },
        { "rope_scaling", "{\"rope_type\": \"longrope\", \"factor\": 2}",
            "rope_type is \"longrope\", which is not supported; default, linear, dynamic, llama3, yarn are" },
        { "rope_scaling", "{\"rope_type\": \"linear\"}", "factor is missing" },
        { "rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 0.5}", "factor must be a number of at least 1, got 0.5" },
        { "rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 2, \"short_factor\": [1]}",
            "short_factor ([1]) is not a field that a rotary embedding has here" },
        { "rope_scaling", "[]", "rope_scaling must be an object, got []" },
        { "quantization_config", "{\"quant_method\": \"awq\"}", "quantization_config is of awq" },
        { "eos_token_id", "\"</s>\"", "eos_token_id must be a token id or a list of them" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void ReadConfig_WrongOrUnknownField_IsRefusedByName(string key, string value, string expected)
    {
        if (expected.Length == 0)
        {
            Read([(key, JsonNode.Parse(value))]);
            return;
        }

        var error = Assert.Throws<UserErrorException>(() => Read([(key, JsonNode.Parse(value))]));

        Assert.StartsWith("config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadConfig_SeveralProblems_AreReportedTogether()
    {
        var error = Assert.Throws<UserErrorException>(() => Read([("vocab_size", -1), ("mlp_bias", "yes"), ("clip_qkv", 8.0)]));

        Assert.Equal(3, error.Message.Split('\n').Length);
    }

    [Fact]
    public void ReadConfig_FieldsThatRestOnAWrongOne_SayNothingOfTheirOwn()
    {
        var error = Assert.Throws<UserErrorException>(
            () => Read([("num_attention_heads", 0), ("num_key_value_heads", 4), ("hidden_size", 30)]));

        Assert.Equal("config.json: num_attention_heads must be a whole number of at least 1, got 0", error.Message);
    }

    [Fact]
    public void ReadConfig_HarmlessUnknownText_IsListed() =>
        Assert.Equal(["unsloth_version"],
            Read([("unsloth_version", "2025.1"), ("sliding_window", null), ("use_mrope", false)]).UnknownFields);

    [Theory]
    [InlineData("""{"model_type": "lama"}""",
        "model_type \"lama\" is not supported; cohere2, gemma, gemma2, gemma3, gemma3_text, gpt2, gpt_oss, llama, mistral, mixtral, "
            + "olmo2, phi3, qwen2, qwen3, qwen3_moe, smollm3, starcoder2 are. Did you mean llama?")]
    [InlineData("""{}""", "model_type is missing")]
    [InlineData("""{"model_type": "llama", "architectures": ["EvilForCausalLM"]}""", "architectures names EvilForCausalLM")]
    public void Find_UnknownArchitecture_IsRefusedByName(string json, string expected)
    {
        var error = Assert.Throws<UserErrorException>(() => ArchitectureTable.Find(JsonNode.Parse(json)!.AsObject(), "config.json"));

        Assert.StartsWith($"config.json: {expected}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\n\"a\":", "is not valid JSON: line 2, column 5: the text ends inside an object or a list.")]
    [InlineData("[]", "a JSON object is expected")]
    [InlineData("{\"a\":1,\"a\":2}", "is not valid JSON: the key 'a' is given twice in one object.")]
    public void Read_BrokenFile_NamesIt(string content, string expected)
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllText(temporary.File("config.json"), content);

        var error = Assert.Throws<UserErrorException>(() => ConfigFile.Read(temporary.File("config.json")));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static ModelConfig Read((string Key, JsonNode? Value)[] fields)
    {
        var json = new JsonObject { ["model_type"] = "llama" };
        foreach (var (key, value) in fields)
            json[key] = value;
        // Through text, as from a file: numbers made in memory are of another kind than parsed ones.
        return ArchitectureTable.ReadConfig(JsonNode.Parse(json.ToJsonString())!.AsObject(), "config.json");
    }
}
