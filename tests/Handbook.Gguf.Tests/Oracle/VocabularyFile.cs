using System.Text.Json.Nodes;
using Handbook.Gguf.Architectures;
using Handbook.Gguf.Format;
using Handbook.Gguf.Vocabularies;
using Handbook.Models.Architectures;
using Handbook.Models.Generation;
using Handbook.Tokenizers;

namespace Handbook.Gguf.Tests.Oracle;

/// <summary>GGUF files with a tokenizer and no weights, which llama.cpp loads when it is asked for the vocabulary alone.</summary>
internal static class VocabularyFile
{
    /// <summary>Writes one, and gives the remarks.</summary>
    public static IReadOnlyList<string> Write(string path, Tokenizer tokenizer, string origin, string? name = null)
    {
        var json = new JsonObject
        {
            ["model_type"] = "llama", ["vocab_size"] = tokenizer.VocabSize, ["hidden_size"] = 32, ["intermediate_size"] = 32,
            ["num_hidden_layers"] = 1, ["num_attention_heads"] = 2,
        };
        var config = ArchitectureTable.ReadConfig(json, "config.json");
        var metadata = new GgufMetadata();
        metadata.Add("general.architecture", "llama");
        if (name is not null)
            metadata.Add("general.name", name);
        Hyperparameters.Add(metadata, GgufArchitectureTable.Rows["llama"], config);
        var notes = new List<string>();
        Vocabulary.Add(metadata, new TokenizerFile(tokenizer, origin), config, GenerationDefaults.None, notes);
        GgufFile.Write(path, metadata, []);
        return notes;
    }
}
