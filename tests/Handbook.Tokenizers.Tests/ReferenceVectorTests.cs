using System.Text.Json;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>Texts with ids made by other implementations: llama.cpp, swift-transformers, ML.NET.</summary>
[Trait("Category", "Golden")]
public sealed class ReferenceVectorTests
{
    /// <summary>Which tokenizer folder a reference's own name stands for.</summary>
    private static readonly Dictionary<string, string> Folders = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = "gpt2", ["llama-bpe"] = "llama3", ["llama-spm"] = "llama2", ["phi-3"] = "phi-3-mini", ["qwen2"] = "qwen2.5",
        ["starcoder"] = "starcoder2",
        ["distilgpt2"] = "gpt2", ["coreml-projects/Llama-2-7b-chat-coreml"] = "llama2",
        ["pcuenq/Llama-3.2-1B-Instruct-tokenizer"] = "llama3",
        ["gpt2_encoded_tokens"] = "gpt2", ["llama_encoded"] = "llama2", ["llama_3.2_encoded"] = "llama3", ["tokens_gpt2"] = "gpt2",
    };

    public static TheoryData<string> LlamaCppNames => [.. Names("llama.cpp", "*.inp")];

    public static TheoryData<string> SwiftNames => [.. Names("swift", "*_encoded*.json")];

    [Theory]
    [MemberData(nameof(LlamaCppNames))]
    public void Encode_LlamaCppText_GivesItsIds(string name)
    {
        var texts = File.ReadAllText(SharedFolders.Data("tokenizers", "reference", "llama.cpp", name + ".inp"))
            .Split("\n__ggml_vocab_test__\n");
        var ids = File.ReadAllLines(SharedFolders.Data("tokenizers", "reference", "llama.cpp", name + ".out"));
        var tokenizer = Load(name);
        for (var i = 0; i < ids.Length; i++)
        {
            var expected = ids[i].Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(id => int.Parse(id, System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(expected, tokenizer.Encode(texts[i], addSpecialTokens: false).Ids);
        }
    }

    [Theory]
    [MemberData(nameof(SwiftNames))]
    public void Encode_SwiftText_GivesItsIds(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(SharedFolders.Data("tokenizers", "reference", "swift", name + ".json")));
        var expected = document.RootElement.GetProperty("token_ids").Deserialize<int[]>();
        Assert.Equal(expected, Load(name).Encode(document.RootElement.GetProperty("text").GetString()!, addSpecialTokens: true).Ids);
    }

    [Fact]
    public void Encode_SwiftSentences_GivesTheirIdsAndTexts()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(SharedFolders.Data("tokenizers", "reference",
            "swift", "tokenizer_tests.json")));
        foreach (var model in document.RootElement.EnumerateObject().Where(model => Folders.ContainsKey(model.Name)))
        {
            foreach (var golden in model.Value.EnumerateArray())
            {
                var ids = golden.GetProperty("encoded").GetProperty("input_ids").Deserialize<int[]>()!;
                Assert.Equal(ids, Load(model.Name).Encode(golden.GetProperty("input").GetString()!, addSpecialTokens: true).Ids);
            }
        }
    }

    [Fact]
    public void Encode_MlNetSourceFile_GivesItsIds()
    {
        var text = File.ReadAllText(SharedFolders.Data("tokenizers", "reference", "ml.net", "lib.rs.txt"));
        var expected = JsonSerializer.Deserialize<int[]>(File.ReadAllBytes(SharedFolders.Data("tokenizers", "reference",
            "ml.net", "tokens_gpt2.json")));
        Assert.Equal(expected, Load("tokens_gpt2").Encode(text, addSpecialTokens: false).Ids);
    }

    private static IEnumerable<string> Names(string folder, string pattern) =>
        Directory.GetFiles(SharedFolders.Data("tokenizers", "reference", folder), pattern)
            .Select(path => Path.GetFileNameWithoutExtension(path)).Where(Folders.ContainsKey).Order(StringComparer.Ordinal);

    private static Tokenizer Load(string name) => GoldenFamilies.LoadFile(GoldenFamilies.FindFile(Folders[name]));
}
