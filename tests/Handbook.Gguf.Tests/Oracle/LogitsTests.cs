using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Models;
using Handbook.Models.Generation;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Gguf.Tests.Oracle;

/// <summary>llama.cpp computes from our files what we compute from the folders.</summary>
[Trait("Category", "Golden")]
public sealed class LogitsTests : IDisposable
{
    private const double Tolerance = 2e-5;

    private const double DivisorTolerance = 5e-5;

    // llama.cpp looks GELU up in a table of float16 values.
    private const double GeluTolerance = 5e-3;

    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Folders() => [.. Models.GoldenFolders];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Float32File_OfEveryArchitecture_GivesOurLogits(string name) => AssertSameLogits(SharedFolders.Golden("models", name));

    [Theory]
    [MemberData(nameof(Folders))]
    public void Float32File_OfEveryArchitecture_GivesOurGreedyTokens(string name)
    {
        var meta = JsonNode.Parse(File.ReadAllText(SharedFolders.Golden("models", name, "meta.json")))!;
        using var theirs = Export(SharedFolders.Golden("models", name));
        using var ours = CausalLanguageModel.Load(SharedFolders.Golden("models", name), DType.Float32);
        foreach (var row in meta["greedy"]!.AsArray())
        {
            var prompt = Integers(row!["prompt"]!);
            // Beyond the context length the window shows, which llama.cpp has not.
            prompt = prompt[..Math.Min(prompt.Length, theirs.ContextLength - 4)];
            var count = Math.Min(row["tokens"]!.AsArray().Count, theirs.ContextLength - prompt.Length + 1);
            var request = new GenerationRequest { Prompt = prompt, MaxNewTokens = count, StopTokens = [] };
            Assert.Equal(new Generator(ours).Run(request).Tokens, theirs.Greedy(prompt, count));
        }
    }

    [Theory]
    [InlineData("llama", """{"rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32}}""")]
    [InlineData("llama", """{"rope_scaling":{"type":"yarn","factor":2.0,"original_max_position_embeddings":64,"attention_factor":1.3}}""")]
    [InlineData("qwen2", """{"rope_scaling":{"type":"yarn","factor":4.0,"original_max_position_embeddings":32},"rope_theta":1000000.0}""")]
    [InlineData("llama", """{"rope_scaling":{"rope_type":"dynamic","factor":2.0}}""")]
    [InlineData("llama", """{"rope_parameters":{"rope_type":"linear","factor":4.0,"rope_theta":5000.0}}""")]
    [InlineData("llama", """{"head_dim":24,"attention_bias":true,"mlp_bias":true,"num_key_value_heads":1}""")]
    [InlineData("phi3", """{"partial_rotary_factor":0.5,"pad_token_id":0}""")]
    [InlineData("olmo2", """{"tie_word_embeddings":true,"pad_token_id":0}""")]
    [InlineData("mixtral", """{"num_local_experts":4,"num_experts_per_tok":2,"tie_word_embeddings":true}""")]
    [InlineData("qwen3", """{"head_dim":32,"num_key_value_heads":4}""")]
    [InlineData("smollm3", """{"num_hidden_layers":5,"pad_token_id":0}""")]
    [InlineData("starcoder2", """{"tie_word_embeddings":true}""")]
    [InlineData("qwen3_moe", """{"num_experts":4,"num_experts_per_tok":2,"moe_intermediate_size":32,"norm_topk_prob":true}""")]
    [InlineData("gpt_oss", """
        {"num_local_experts":4,"num_experts_per_tok":2,"sliding_window":9,"head_dim":32,"num_hidden_layers":2,
         "rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32}}
        """)]
    [InlineData("cohere2", """{"num_hidden_layers":5,"sliding_window":9,"tie_word_embeddings":true,"pad_token_id":0,"logit_scale":0.4}""")]
    [InlineData("gemma3_text", """
        {"num_hidden_layers":7,"sliding_window":9,"tie_word_embeddings":true,"head_dim":16,"rope_theta":500.0}
        """)]
    [InlineData("gemma3_text", """
        {"num_hidden_layers":6,"sliding_window":5,"tie_word_embeddings":true,"head_dim":24,"query_pre_attn_scalar":40,
         "rope_scaling":{"rope_type":"linear","factor":8.0}}
        """)]
    public void RandomModel_OfEveryRule_GivesOurLogits(string modelType, string changes) =>
        AssertSameLogits(Models.Create(folder.File("model"), Models.Config(modelType, changes), values: FillBias));

    /// <summary>
    /// Angles are divided by float32 divisors there and made by one multiplication here: rounded once more, they show in the fifth digit.
    /// </summary>
    [Theory]
    [InlineData("""
        {"rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32,"truncate":false},"rope_theta":5000.0}
        """)]
    [InlineData("""
        {"rope_scaling":{"rope_type":"yarn","factor":8.0,"original_max_position_embeddings":32,"truncate":false,"attention_factor":0.9}}
        """)]
    public void DivisorsOfFrequencies_GiveOurLogits(string changes) => AssertSameLogits(
        Models.Create(folder.File("model"), Models.Config("llama", changes), values: FillBias), tolerance: DivisorTolerance);

    [Theory]
    [InlineData("""{"scale_attn_by_inverse_layer_idx":true}""")]
    [InlineData("""{"scale_attn_weights":false}""")]
    public void RandomGpt2_WithAnotherScale_GivesOurLogits(string changes)
    {
        var config = JsonNode.Parse("""
            {"model_type":"gpt2","vocab_size":64,"n_embd":64,"n_head":4,"n_layer":3,"n_positions":64,"initializer_range":0.1}
            """)!.AsObject();
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
            config[key] = value!.DeepClone();
        AssertSameLogits(Models.Create(folder.File("model"), config));
    }

    [Theory]
    [InlineData("f16", 5e-3)]
    [InlineData("bf16", 4e-2)]
    [InlineData("q8_0", 1e-1)]
    public void SmallerFile_GivesNearlyOurLogits(string type, double share)
    {
        var path = Models.Create(folder.File("model"), Models.Config());
        using var ours = CausalLanguageModel.Load(path, DType.Float32);
        AssertSameLogits(path, type, share * Models.Logits(ours, [5, 9, 40]).Max(row => row.Max(Math.Abs)));
    }

    private void AssertSameLogits(string path, string type = "f32", double? tolerance = null)
    {
        using var theirs = Export(path, type);
        using var ours = CausalLanguageModel.Load(path, DType.Float32);
        int[] ids = [.. Enumerable.Range(0, Math.Min(48, theirs.ContextLength)).Select(i => (i * 37 + 11) % ours.Config.VocabularySize)];
        var largest = Models.Logits(ours, ids).Zip(theirs.Logits(ids), (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max();
        var usual = ours.Config.Layers[0].FeedForward.Activation == ActivationKind.Silu ? Tolerance : GeluTolerance;
        Assert.InRange(largest, 0, tolerance ?? usual);
    }

    /// <summary>New biases are zero, which would hide one that is lost.</summary>
    private static void FillBias(string name, Tensor value)
    {
        if (name.EndsWith("bias", StringComparison.Ordinal))
            value.CopyFrom(Tensor.From<double>(
                [.. Enumerable.Range(0, (int)value.ElementCount).Select(i => 0.3 * Math.Sin(3 + i))], value.Shape).To(value.DType));
    }

    private LlamaCpp Export(string path, string type = "f32")
    {
        LlamaCpp.Require();
        GgufExport.Run(path, folder.File("model.gguf"), FileType.Find(type));
        return new LlamaCpp(folder.File("model.gguf"));
    }

    private static int[] Integers(JsonNode list) => [.. list.AsArray().Select(item => item!.GetValue<int>())];
}
