using System.Text.Json.Nodes;
using Handbook.Gguf.Tests.Format;
using Handbook.Gguf.Tests.Oracle;
using Handbook.TestSupport;
using Handbook.Tokenizers;
using Handbook.Torch;

namespace Handbook.Gguf.Tests;

public sealed class GgufExportTests : IDisposable
{
    private const string Template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ChatModel_LoadsWithTokenizerTemplateAndStops()
    {
        var path = Chat(out var tokenizer);
        File.WriteAllText(Path.Combine(path, "generation_config.json"), $$"""
            {"eos_token_id":[{{tokenizer.EosId}},{{tokenizer.TokenToId("<|end|>")}}],"temperature":0.6,"top_p":0.9,"top_k":-1,
             "stop_strings":["a \"b\" c"]}
            """);

        var summary = GgufExport.Run(path, folder.File("chat.gguf"), FileType.Find("q8_0"));

        using var model = new LlamaCpp(folder.File("chat.gguf"));
        Assert.Equal(Template, model.ChatTemplate);
        Assert.Equal(tokenizer.VocabSize + 5, model.VocabularySize);
        Assert.Equal(tokenizer.EosId, (int?)model.Vocabulary.EOS);
        Assert.Equal(tokenizer.TokenToId("<|end|>"), (int?)model.Vocabulary.EOT);
        Assert.Equal((false, false), (model.Vocabulary.ShouldAddBOS, model.Vocabulary.ShouldAddEOS));
        const string Text = "<|im_start|>user\nBadoru ke 12!<|im_end|>\n";
        Assert.Equal(tokenizer.Encode(Text, addSpecialTokens: false).Ids, model.Tokenize(Text, addSpecial: false));
        Assert.Empty(summary.Notes);
        Assert.Equal("llama", summary.Architecture);
        Assert.Equal(""""
            # Made by handbook export gguf
            FROM ./chat.gguf
            PARAMETER stop "<|im_end|>"
            PARAMETER stop "<|end|>"
            PARAMETER stop """a "b" c"""
            PARAMETER temperature 0.6
            PARAMETER top_k 0
            PARAMETER top_p 0.9

            """", File.ReadAllText(folder.File("Modelfile")));
    }

    [Fact]
    public void SameFolder_GivesTheSameBytes()
    {
        var path = Models.Create(folder.File("model"), Models.Config());
        GgufExport.Run(path, folder.File("a.gguf"), FileType.Find("q4_0"));
        GgufExport.Run(path, folder.File("b.gguf"), FileType.Find("q4_0"));
        Assert.Equal(File.ReadAllBytes(folder.File("a.gguf")), File.ReadAllBytes(folder.File("b.gguf")));
    }

    [Fact]
    public void Bfloat16Folder_WrittenAsBfloat16_KeepsItsBits()
    {
        var path = Models.Create(folder.File("model"), Models.Config(), DType.BFloat16);
        GgufExport.Run(path, folder.File("f.gguf"), FileType.Find("bf16"));
        using var file = new Handbook.Models.Safetensors.SafetensorsFile(Path.Combine(path, "model.safetensors"));
        using var weight = file.Get("model.layers.1.mlp.up_proj.weight");

        var written = new GgufReader(folder.File("f.gguf")).Tensors["blk.1.ffn_up.weight"].Padded.Span;

        Assert.True(System.Runtime.InteropServices.MemoryMarshal.AsBytes(weight.Span<ushort>()).SequenceEqual(written));
    }

    [Fact]
    public void ModelWithoutTokenizer_SaysSo()
    {
        var path = Models.Create(folder.File("model"), Models.Config());

        var summary = GgufExport.Run(path, folder.File("f.gguf"), FileType.Find("f32"));

        Assert.Equal([$"{path} has no tokenizer: llama.cpp will take and give token ids only"], summary.Notes);
        Assert.Equal("no_vocab", new GgufReader(folder.File("f.gguf")).Keys["tokenizer.ggml.model"]);
    }

    [Fact]
    public void Window_ThatLlamaCppHasNot_BoundsTheContext()
    {
        var path = Models.Create(folder.File("model"), Models.Config("mistral", """{"sliding_window":32}"""));

        var summary = GgufExport.Run(path, folder.File("f.gguf"), FileType.Find("f32"));

        Assert.Contains(
            "llama.cpp has no sliding window in llama: up to 32 tokens, the context length written, it is the same model", summary.Notes);
        Assert.Equal(32, new GgufReader(folder.File("f.gguf")).Keys["llama.context_length"]);
        Assert.Contains("PARAMETER num_ctx 32\n", File.ReadAllText(folder.File("Modelfile")), StringComparison.Ordinal);
    }

    [Fact]
    public void Tokenizer_WithMoreTokensThanRows_IsRefused()
    {
        var path = Models.Create(folder.File("model"), Models.Config());
        Made().Save(path);

        var error = Assert.Throws<UserErrorException>(() => GgufExport.Run(path, folder.File("f.gguf"), FileType.Find("f32")));

        Assert.Equal($"{path}: has 400 tokens, the model's vocabulary (vocab_size) 64: they do not fit.", error.Message);
    }

    private string Chat(out Tokenizer tokenizer)
    {
        tokenizer = Made();
        var config = Models.Config("llama", new JsonObject { ["vocab_size"] = tokenizer.VocabSize + 5 }.ToJsonString());
        var path = Models.Create(folder.File("model"), config);
        tokenizer.Save(path);
        return path;
    }

    private static Tokenizer Made() => MadeText.Tokenizer(400, "<|im_end|>", Template, "<|im_start|>", "<|end|>");
}
