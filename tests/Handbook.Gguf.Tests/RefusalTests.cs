using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Gguf.Tests;

/// <summary>What llama.cpp would compute otherwise is refused, by name and before anything is written.</summary>
public sealed class RefusalTests : IDisposable
{
    private const string Llama3Scaling = """
        {"rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
         "original_max_position_embeddings":64}}
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("llama", """{"hidden_act":"relu"}""", "llama.cpp's llama is another model: its activation is Silu, the model's Relu.")]
    [InlineData("qwen3", """{"attention_bias":true}""",
        "llama.cpp's qwen3 is another model: it has no biases of queries, keys and values.")]
    [InlineData("olmo2", """{"attention_bias":true,"pad_token_id":0}""",
        "llama.cpp's olmo2 is another model: it has no biases of attention's output.")]
    [InlineData("starcoder2", """{"use_bias":false}""",
        "llama.cpp's starcoder2 is another model: it needs the biases of the feed-forward block.")]
    [InlineData("qwen2", """{"head_dim":32}""",
        "llama.cpp's qwen2 is another model: 4 heads of 32 are not as wide as the model (64), which it needs.")]
    [InlineData("llama", """{"partial_rotary_factor":0.5}""",
        "llama.cpp's llama is another model: 8 of a head's 16 elements are turned by position, it turns all.")]
    [InlineData("smollm3", """{"no_rope_layer_interval":2,"pad_token_id":0}""",
        "llama.cpp's smollm3 is another model: it turns by position in other layers.")]
    [InlineData("gemma", """{"pad_token_id":0}""",
        "llama.cpp's gemma is another model: it has no head of its own (tie_word_embeddings is false).")]
    [InlineData("gemma2", """{"pad_token_id":0,"tie_word_embeddings":true,"attn_logit_softcapping":null}""",
        "llama.cpp's gemma2 is another model: attn_logit_softcapping is null, it always caps.")]
    [InlineData("gemma2", """{"pad_token_id":0,"tie_word_embeddings":true,"layer_types":["full_attention","sliding_attention"]}""",
        "llama.cpp's gemma2 is another model: it has the sliding window in other layers.")]
    [InlineData("qwen2", Llama3Scaling,
        "llama.cpp's qwen2 is another model: it has no rope_type \"llama3\".")]
    [InlineData("qwen2", """{"rope_scaling":{"rope_type":"yarn","factor":4.0,"truncate":false}}""",
        "llama.cpp's qwen2 is another model: it rounds the ends of YaRN's ramp (truncate is false).")]
    [InlineData("gpt_oss", """
        {"num_local_experts":4,"num_experts_per_tok":2,"rope_scaling":{"rope_type":"yarn","factor":4.0,"truncate":false}}
        """, "llama.cpp's gpt-oss is another model: it rounds the ends of YaRN's ramp (truncate is false).")]
    [InlineData("qwen3_moe", """{"num_experts":4,"num_experts_per_tok":2,"moe_intermediate_size":32,"norm_topk_prob":false}""",
        "llama.cpp's qwen3moe is another model: it divides the weights of a token's experts by their sum (norm_topk_prob is false).")]
    [InlineData("qwen3_moe", """
        {"num_experts":4,"num_experts_per_tok":2,"moe_intermediate_size":32,"norm_topk_prob":true,"mlp_only_layers":[0]}
        """, "llama.cpp's qwen3moe is another model: it needs experts.")]
    public void Configuration_ThatLlamaCppDoesNotHave_IsRefusedByName(string modelType, string changes, string expected)
    {
        var path = Models.Create(folder.File("model"), Models.Config(modelType, changes));

        var error = Assert.Throws<UserErrorException>(() => GgufExport.Run(path, folder.File("f.gguf"), FileType.Find("f32")));

        Assert.Contains(Path.Combine(path, "config.json") + ": " + expected, error.Problems);
        Assert.False(File.Exists(folder.File("f.gguf")) || File.Exists(folder.File("Modelfile")));
    }

    [Fact]
    public void ClassificationHead_IsRefusedByName()
    {
        var path = Models.Create(folder.File("model"), Models.Config());
        using (var classifier = SequenceClassifier.Load(path, DType.Float32))
            classifier.Save(folder.File("reward"), DType.Float32);

        var error = Assert.Throws<UserErrorException>(
            () => GgufExport.Run(folder.File("reward"), folder.File("f.gguf"), FileType.Find("f32")));

        Assert.Equal($"{folder.File("reward/config.json")}: LlamaForSequenceClassification has a classification head; llama.cpp generates "
            + "text, which takes a LlamaForCausalLM.", error.Message);
    }

    [Theory]
    [InlineData("dora", "use_dora: trained lengths of rows")]
    [InlineData("pissa", "init_lora_weights: \"pissa\" changes the base's own weights")]
    [InlineData("saved", "modules_to_save: lm_head.weight trained whole")]
    [InlineData("biased", "bias: model.layers.0.self_attn.q_proj.bias and 7 more trained whole")]
    public void Adapter_WithMoreThanPairs_IsRefusedWithTheRemedy(string kind, string expected)
    {
        var path = Models.Create(folder.File("model"), Models.Config("llama", """{"attention_bias":true}"""));
        var config = new LoraConfig
        {
            TargetModules = ModulePattern.OfNames(["q_proj"]), BaseModel = path, UseDora = kind == "dora",
            ModulesToSave = kind == "saved" ? ["lm_head"] : [], Bias = kind == "biased" ? LoraBias.All : LoraBias.None,
        };
        using (var model = CausalLanguageModel.Load(path))
        using (var adapter = Adapter.Create(model, config, 1, "test"))
            adapter.Save(folder.File("adapter"), DType.Float32);
        var settings = folder.File("adapter/adapter_config.json");
        if (kind == "pissa")
            File.WriteAllText(settings, File.ReadAllText(settings)
                .Replace("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa\"", StringComparison.Ordinal));

        var error = Assert.Throws<UserErrorException>(
            () => AdapterExport.Run(folder.File("adapter"), folder.File("f.gguf"), FileType.Find("f32")));

        Assert.Equal($"{settings}: {expected}; llama.cpp's adapters hold low-rank pairs only. handbook merge makes a model of it and its "
            + "base, which can be exported.", error.Message);
        Assert.False(File.Exists(folder.File("f.gguf")) || File.Exists(folder.File("Modelfile")));
    }

    [Fact]
    public void Weights_ThatDoNotFit_AreNamedBeforeAnythingIsWritten()
    {
        var path = Models.Create(folder.File("model"), Models.Config());
        var config = Path.Combine(path, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("_size\": 96", "_size\": 64", StringComparison.Ordinal));

        var error = Assert.Throws<UserErrorException>(() => GgufExport.Run(path, folder.File("f.gguf"), FileType.Find("f32")));

        Assert.Contains("mlp.gate_proj.weight is [96, 64], the configuration needs [64, 64]", error.Problems[0], StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("f.gguf")));
    }

    [Fact]
    public void Type_ThatThereIsNot_IsRefusedWithTheNearest() => Assert.Equal(
        "--type q4_km: is not a type; f32, f16, bf16, q8_0, q4_0, q4_k, q6_k are. Did you mean q4_k?",
        Assert.Throws<UserErrorException>(() => FileType.Find("q4_km")).Message);
}
