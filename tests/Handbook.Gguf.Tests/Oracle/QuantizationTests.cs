using Handbook.Gguf.Tests.Format;
using Handbook.TestSupport;
using Handbook.Torch;
using LLama.Native;

namespace Handbook.Gguf.Tests.Oracle;

/// <summary>
/// Our packed files are, tensor by tensor and byte for byte, what llama.cpp's own quantisation makes of our float32 file.
/// </summary>
public sealed class QuantizationTests : IDisposable
{
    private const string Wide = """{"hidden_size":256,"intermediate_size":512,"num_hidden_layers":9}""";
    private const string Narrow = """{"hidden_size":96,"intermediate_size":288}""";
    private const string Odd = """{"hidden_size":80,"head_dim":16,"intermediate_size":256}""";
    private const string Tied = """{"hidden_size":256,"intermediate_size":256,"tie_word_embeddings":true}""";
    private const string Experts = """{"hidden_size":256,"intermediate_size":256,"num_local_experts":8,"num_experts_per_tok":2}""";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("q8_0", LLamaFtype.MOSTLY_Q8_0, "llama", Wide)]
    [InlineData("q4_0", LLamaFtype.MOSTLY_Q4_0, "llama", Wide)]
    [InlineData("q4_k", LLamaFtype.MOSTLY_Q4_K_M, "llama", Wide)]
    [InlineData("q6_k", LLamaFtype.MOSTLY_Q6_K, "llama", Wide)]
    [InlineData("q4_k", LLamaFtype.MOSTLY_Q4_K_M, "llama", Narrow)]
    [InlineData("q6_k", LLamaFtype.MOSTLY_Q6_K, "llama", Narrow)]
    [InlineData("q4_0", LLamaFtype.MOSTLY_Q4_0, "llama", Narrow)]
    [InlineData("q4_0", LLamaFtype.MOSTLY_Q4_0, "llama", Tied)]
    [InlineData("q4_k", LLamaFtype.MOSTLY_Q4_K_M, "llama", Tied)]
    [InlineData("q8_0", LLamaFtype.MOSTLY_Q8_0, "mixtral", Experts)]
    [InlineData("q6_k", LLamaFtype.MOSTLY_Q6_K, "mixtral", Experts)]
    [InlineData("q4_k", LLamaFtype.MOSTLY_Q4_K_M, "phi3", """{"hidden_size":256,"intermediate_size":512,"pad_token_id":0}""")]
    [InlineData("f16", LLamaFtype.MOSTLY_F16, "llama", Narrow)]
    [InlineData("bf16", LLamaFtype.MOSTLY_BF16, "llama", Narrow)]
    public void PackedFile_HasLlamaCppsBytes(string type, LLamaFtype theirs, string modelType, string changes)
    {
        var path = Models.Create(folder.File("model"), Models.Config(modelType, changes), values: Strange);
        GgufExport.Run(path, folder.File("f32.gguf"), FileType.Find("f32"));
        GgufExport.Run(path, folder.File("ours.gguf"), FileType.Find(type));

        LlamaCpp.Quantize(folder.File("f32.gguf"), folder.File("theirs.gguf"), theirs);

        var (ours, expected) = (new GgufReader(folder.File("ours.gguf")), new GgufReader(folder.File("theirs.gguf")));
        Assert.Equal(expected.Tensors.Keys.Order(StringComparer.Ordinal), ours.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, tensor) in expected.Tensors)
        {
            Assert.True(tensor.Type == ours.Tensors[name].Type, $"{name}: type {ours.Tensors[name].Type}, expected {tensor.Type}");
            Assert.True(tensor.Padded.Span.SequenceEqual(ours.Tensors[name].Padded.Span), $"{name}: other bytes");
        }
        Assert.Equal(expected.Keys["general.file_type"], ours.Keys["general.file_type"]);
        using var loaded = new LlamaCpp(folder.File("ours.gguf"));
        Assert.All(loaded.Logits([1, 2, 3]), row => Assert.All(row, logit => Assert.True(float.IsFinite(logit))));
    }

    [Theory]
    [InlineData("q8_0")]
    [InlineData("q4_k")]
    public void RowsOfNoWholeBlock_BecomeFloat16(string type)
    {
        var path = Models.Create(folder.File("model"), Models.Config("llama", Odd));
        GgufExport.Run(path, folder.File("ours.gguf"), FileType.Find(type));

        var tensors = new GgufReader(folder.File("ours.gguf")).Tensors;
        Assert.Equal(1u, tensors["blk.0.ffn_up.weight"].Type);
        Assert.Equal(1u, tensors["output.weight"].Type);
        Assert.NotEqual(1u, tensors["blk.0.ffn_down.weight"].Type);
        using var loaded = new LlamaCpp(folder.File("ours.gguf"));
        Assert.All(loaded.Logits([1, 2, 3]), row => Assert.All(row, logit => Assert.True(float.IsFinite(logit))));
    }

    /// <summary>Rows of zeros, of one number, of one outlier, of positive numbers only, and of numbers that float16 hardly has.</summary>
    private static void Strange(string name, Tensor weight)
    {
        if (weight.DimensionCount != 2 || !name.Contains("mlp", StringComparison.Ordinal))
            return;
        var elements = weight.Span<float>();
        var columns = (int)weight.Size(1);
        elements[..columns].Clear();
        elements[columns..(2 * columns)].Fill(0.37f);
        elements[2 * columns + 5] = -40;
        foreach (ref var x in elements[(3 * columns)..(4 * columns)])
            x = MathF.Abs(x) + 1;
        foreach (ref var x in elements[(4 * columns)..(5 * columns)])
            x *= 1e-6f;
        foreach (ref var x in elements[(5 * columns)..(6 * columns)])
            x *= 1e-17f;
        elements[(6 * columns)..(7 * columns)].Fill(-0.25f);
    }
}
