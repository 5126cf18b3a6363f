using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Generation;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Gguf.Tests.Oracle;

/// <summary>llama.cpp around our file of the base with our file of the adapter computes what we compute.</summary>
public sealed class AdapterTests : IDisposable
{
    private const double Tolerance = 5e-5;

    // Random adapters move logits by much more.
    private const double LeastChange = 0.05;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("llama", "{}", Tolerance)]
    [InlineData("llama", """{"head_dim":24,"attention_bias":true,"mlp_bias":true,"num_key_value_heads":1}""", Tolerance)]
    [InlineData("mixtral", """{"num_local_experts":4,"num_experts_per_tok":2}""", Tolerance)]
    [InlineData("qwen2", """{"tie_word_embeddings":true}""", Tolerance)]
    [InlineData("qwen3", """{"head_dim":32,"num_key_value_heads":4}""", Tolerance)]
    [InlineData("smollm3", """{"num_hidden_layers":5,"pad_token_id":0}""", Tolerance)]
    [InlineData("phi3", """{"pad_token_id":0}""", Tolerance)]
    [InlineData("olmo2", """{"pad_token_id":0}""", Tolerance)]
    [InlineData("gemma2", """{"pad_token_id":0,"tie_word_embeddings":true,"query_pre_attn_scalar":40}""", 5e-3)]
    [InlineData("gemma3_text", """{"num_hidden_layers":7,"sliding_window":9,"tie_word_embeddings":true,"head_dim":16}""", 5e-3)]
    [InlineData("starcoder2", "{}", 5e-3)]
    [InlineData("cohere2", """{"num_hidden_layers":5,"sliding_window":9,"tie_word_embeddings":true,"pad_token_id":0}""", Tolerance)]
    public void AllLinear_OfAnArchitecture_GivesOurLogits(string modelType, string changes, double tolerance)
    {
        var path = Models.Create(folder.File("base"), Models.Config(modelType, changes));
        var adapter = Adapt(path, "adapter", new LoraConfig
        {
            Rank = 4, Alpha = 6, TargetModules = ModulePattern.OfText(ModulePattern.AllLinear, "test"),
        });
        AssertSame(path, adapter, tolerance);
    }

    [Fact]
    public void EmbeddingHeadRanksAndAlphas_GiveOurLogits()
    {
        var path = Models.Create(folder.File("base"), Models.Config());
        var adapter = Adapt(path, "adapter", new LoraConfig
        {
            Rank = 4, Alpha = 6, UseRsLora = true,
            TargetModules = ModulePattern.OfNames(["embed_tokens", "lm_head", "q_proj", "k_proj", "down_proj"]),
            RankPattern = [KeyValuePair.Create("k_proj", 6.0), KeyValuePair.Create("embed_tokens", 3.0)],
            AlphaPattern = [KeyValuePair.Create("layers.1.self_attn.q_proj", 20.0)],
        });
        AssertSame(path, adapter, Tolerance);
    }

    [Fact]
    public void Chain_IsOneAdapter()
    {
        var path = Models.Create(folder.File("base"), Models.Config());
        var first = Adapt(path, "first", new LoraConfig { Rank = 4, Alpha = 6, TargetModules = Named("q_proj", "up_proj") });
        var second = Adapt(first, "second", new LoraConfig { Rank = 2, Alpha = 6, TargetModules = Named("q_proj", "v_proj") });
        AssertSame(path, second, Tolerance);
    }

    [Theory]
    [InlineData("f16", 2e-2)]
    [InlineData("bf16", 1e-1)]
    public void SmallerFile_GivesNearlyOurLogits(string type, double tolerance)
    {
        var path = Models.Create(folder.File("base"), Models.Config());
        var adapter = Adapt(path, "adapter", new LoraConfig { Rank = 4, Alpha = 6, TargetModules = Named("q_proj", "o_proj") });
        AssertSame(path, adapter, tolerance, type: type);
    }

    [Theory]
    [InlineData("lora")]
    [InlineData("rslora")]
    [InlineData("lora_qv")]
    [Trait("Category", "Golden")]
    public void PeftsFolder_GivesOurLogitsAndTokens(string name)
    {
        var adapter = SharedFolders.Golden("models", "lora", name);
        using (var opened = new ModelFolder(adapter))
            AssertSame(opened.Path, adapter, Tolerance, change: 1e-3);
    }

    private void AssertSame(string path, string adapter, double tolerance, double change = LeastChange, string type = "f32")
    {
        LlamaCpp.Require();
        var file = folder.File(Path.GetFileName(path) + ".gguf");
        GgufExport.Run(path, file, FileType.Find("f32"));
        var summary = AdapterExport.Run(adapter, folder.File("adapter.gguf"), FileType.Find(type));
        Assert.Contains("which is there", summary.Notes[0], StringComparison.Ordinal);
        using var ours = CausalLanguageModel.Load(adapter, DType.Float32);
        using var theirs = new LlamaCpp(file, adapter: folder.File("adapter.gguf"));
        using var without = new LlamaCpp(file);
        int[] ids = [.. Enumerable.Range(0, Math.Min(48, theirs.ContextLength)).Select(i => (i * 37 + 11) % ours.Config.VocabularySize)];
        var logits = Models.Logits(ours, ids);
        Assert.InRange(Distance(logits, theirs.Logits(ids)), 0, tolerance);
        Assert.True(Distance(logits, without.Logits(ids)) >= change);
        if (type != "f32" || tolerance > 1e-3)
            return;
        var request = new GenerationRequest { Prompt = ids[..8], MaxNewTokens = 12, StopTokens = [] };
        Assert.Equal(new Generator(ours).Run(request).Tokens, theirs.Greedy(ids.AsSpan(0, 8), 12));
    }

    private string Adapt(string path, string name, LoraConfig config)
    {
        using var model = CausalLanguageModel.Load(path, DType.Float32);
        using var adapter = Adapter.Create(model, config with { Initialization = LoraInitialization.Random, BaseModel = path }, 5, "test");
        adapter.Lineage = AdapterChain.LineageOf(path);
        adapter.Save(folder.File(name), DType.Float32);
        return folder.File(name);
    }

    private static ModulePattern Named(params string[] names) => ModulePattern.OfNames(names);

    private static float Distance(float[][] ours, float[][] theirs) =>
        ours.Zip(theirs, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max();
}
