using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Gguf.Architectures;
using Handbook.Models;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Gguf.Tests;

/// <summary>Model folders that tests export.</summary>
internal static class Models
{
    /// <summary>Golden folders with a language model of an architecture that llama.cpp knows.</summary>
    public static IEnumerable<string> GoldenFolders => Directory.GetDirectories(SharedFolders.Golden("models"))
        .Where(folder => File.Exists(Path.Combine(folder, "config.json")) && IsCausal(folder))
        .Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal);

    /// <summary>A small configuration; keys that are given take the place of its own, null takes a key away.</summary>
    public static JsonObject Config(string modelType = "llama", string changes = "{}")
    {
        var json = new JsonObject
        {
            ["model_type"] = modelType, ["vocab_size"] = 64, ["hidden_size"] = 64, ["intermediate_size"] = 96, ["num_hidden_layers"] = 2,
            ["num_attention_heads"] = 4, ["num_key_value_heads"] = 2, ["max_position_embeddings"] = 128,
            ["initializer_range"] = 0.2, ["tie_word_embeddings"] = false,
        };
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
            json[key] = value?.DeepClone();
        return json;
    }

    /// <summary>A folder of random weights.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="dtype">Element type of its files.</param>
    /// <param name="values">Changes a weight's elements; null leaves them.</param>
    public static string Create(string path, JsonObject config, DType dtype = DType.Float32, Action<string, Tensor>? values = null)
    {
        using var model = CausalLanguageModel.Create(config, seed: 3, DType.Float32);
        if (values is not null)
        {
            foreach (var parameter in model.Parameters)
                values(parameter.Name, parameter.Value);
        }
        model.Save(path, dtype);
        return path;
    }

    /// <summary>Our logits of a sequence, one row a token.</summary>
    public static float[][] Logits(CausalLanguageModel model, ReadOnlySpan<int> ids)
    {
        using var scope = new TensorScope();
        using var tape = new Tape(isRecording: false);
        var hidden = model.Forward(tape, ids, SequenceLayout.Documents([ids.Length])).Hidden.Value;
        return [.. model.Head.Logits(hidden).ToArray<float>().Chunk(model.Config.VocabularySize)];
    }

    private static bool IsCausal(string folder)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!;
        return GgufArchitectureTable.Rows.ContainsKey(json["model_type"]!.GetValue<string>())
            && !json["architectures"]![0]!.GetValue<string>().EndsWith("ForSequenceClassification", StringComparison.Ordinal);
    }
}
