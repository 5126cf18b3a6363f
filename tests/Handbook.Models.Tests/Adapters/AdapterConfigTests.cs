using System.Text.Json.Nodes;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;
using Handbook.Models.Tests.EveryArchitecture;
using Handbook.TestSupport;

namespace Handbook.Models.Tests.Adapters;

/// <summary>Every field of PEFT's <c>LoraConfig</c> is honoured or refused by its name.</summary>
public sealed class AdapterConfigTests : IDisposable
{
    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    [Theory]
    [InlineData("r", "0", "r must be a whole number of at least 1, got 0")]
    [InlineData("r", "\"8\"", "r must be a whole number of at least 1, got \"8\"")]
    [InlineData("r", "2.5", "r must be a whole number")]
    [InlineData("r", "1e99", "r must be a whole number")]
    [InlineData("lora_alpha", "-16", "lora_alpha must be above 0, got -16")]
    [InlineData("lora_alpha", "0", "lora_alpha must be above 0, got 0")]
    [InlineData("lora_alpha", "\"x\"", "lora_alpha must be a number, got \"x\"")]
    [InlineData("lora_dropout", "1", "lora_dropout must lie in [0, 1), got 1")]
    [InlineData("rank_pattern", "{\"q_proj\": 0}", "rank_pattern must be a map of names to whole numbers of at least 1")]
    [InlineData("rank_pattern", "{\"q_proj\": 2.5}", "rank_pattern must be a map of names to whole numbers of at least 1")]
    [InlineData("alpha_pattern", "{\"q_proj\": -1}", "alpha_pattern must be a map of names to positive numbers")]
    [InlineData("alpha_pattern", "[1]", "alpha_pattern must be a map of names to positive numbers")]
    [InlineData("peft_type", "\"IA3\"", "peft_type is IA3, which is not supported; LORA is")]
    [InlineData("bias", "\"some\"", "bias is \"some\", which is not supported; none, all, lora_only are.")]
    [InlineData("init_lora_weights", "\"loftq\"", "init_lora_weights is \"loftq\", which trains beside a changed base")]
    [InlineData("lora_bias", "true", "lora_bias is set, which is not supported (B has no bias here)")]
    [InlineData("layer_replication", "[[0, 2], [1, 3]]", "layer_replication is set, which is not supported (layers that stand several")]
    [InlineData("trainable_token_indices", "[1, 2]", "trainable_token_indices is set, which is not supported (single rows of an")]
    [InlineData("alora_invocation_tokens", "[5]", "alora_invocation_tokens is set, which is not supported")]
    [InlineData("use_qalora", "true", "use_qalora is set, which is not supported")]
    [InlineData("use_bdlora", "true", "use_bdlora is set, which is not supported")]
    [InlineData("arrow_config", "{\"top_k\": 3}", "arrow_config is set, which is not supported")]
    [InlineData("kasa_config", "{\"beta\": 3}", "kasa_config is set, which is not supported")]
    [InlineData("monteclora_config", "{\"num_samples\": 3}", "monteclora_config is set, which is not supported")]
    [InlineData("layers_pattern", "\"layers\"", "layers_pattern names a list of layers without layers_to_transform")]
    [InlineData("layers_to_transform", "\"all\"", "layers_to_transform must be a whole number of at least 0")]
    [InlineData("target_modules", "7", "target_modules must be a list of texts, got 7")]
    [InlineData("target_modules", "\"(\"", "\"(\" is no regular expression")]
    [InlineData("target_parameters", "\"experts.down_proj\"", "target_parameters must be a list of texts")]
    [InlineData("a_field_of_tomorrow", "true", "a_field_of_tomorrow (true) is not a field")]
    public void Field_ThatIsNotCarried_IsRefusedByName(string key, string value, string words)
    {
        var fault = Assert.Throws<UserErrorException>(() => new AdapterFolder(Write(key, value)));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.StartsWith(temporary.Path, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Theory]
    [InlineData("layer_replication", "null")]
    [InlineData("loftq_config", "{}")]
    [InlineData("eva_config", "{\"rho\": 2.0}")]
    [InlineData("runtime_config", "{\"ephemeral_gpu_offload\": true}")]
    [InlineData("megatron_core", "\"megatron.core\"")]
    [InlineData("inference_mode", "true")]
    [InlineData("peft_version", "\"0.20.0\"")]
    [InlineData("qalora_group_size", "16")]
    [InlineData("alora_invocation_tokens", "null")]
    public void Field_ThatChangesNothing_IsRead(string key, string value) =>
        Assert.Equal(8, new AdapterFolder(Write(key, value)).Config.Rank);

    [Theory]
    [InlineData("layers_to_transform", "[0, 2]", "0 2")]
    [InlineData("layers_to_transform", "1", "1")]
    [InlineData("layers_to_transform", "[]", "0 1 2")]
    [InlineData("exclude_modules", "[\"layers.1.self_attn.q_proj\"]", "0 2")]
    [InlineData("exclude_modules", "\".*1.*\"", "0 2")]
    public void Field_ThatChoosesLayers_IsHonoured(string key, string value, string layers)
    {
        using var model = TinyArchitectures.Create("llama");
        using var adapter = Adapter.Create(model, new AdapterFolder(Write(key, value)).Config, 1, "test");

        Assert.Equal(layers, string.Join(' ', adapter.Parameters.Select(parameter => parameter.Name.Split('.')[4]).Distinct()));
    }

    [Fact]
    public void Bias_TrainsThoseOfTheBase()
    {
        foreach (var (bias, count) in new[] { ("none", 0), ("lora_only", 3), ("all", 9) })
        {
            using var model = TinyArchitectures.Create("qwen2");
            using var adapter = Adapter.Create(model, new AdapterFolder(Write("bias", $"\"{bias}\"")).Config, 1, "test");

            Assert.Equal(count, adapter.Parameters.Count(parameter => parameter.Name.EndsWith(".bias", StringComparison.Ordinal)));
        }
    }

    private string Write(string key, string value)
    {
        var config = new JsonObject
        {
            ["peft_type"] = "LORA", ["r"] = 8, ["lora_alpha"] = 16, ["target_modules"] = new JsonArray("q_proj"),
            ["base_model_name_or_path"] = "base",
        };
        config[key] = JsonNode.Parse(value);
        ConfigFile.Write(temporary.File("adapter_config.json"), config);
        return temporary.Path;
    }
}
