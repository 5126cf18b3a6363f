using System.Text.Json.Nodes;
using Handbook.Tokenizers;

namespace Handbook.TestSupport;

/// <summary>Tokenizers made here: each printable ASCII character and line break a token, id 0 to 95, added tokens from 96 on.</summary>
public static class CharacterTokenizer
{
    /// <summary>A folder's tokenizer.json.</summary>
    public static string Json(string postProcessor = "null", params string[] added)
    {
        var vocabulary = new JsonObject();
        foreach (var unit in Enumerable.Range(' ', 95).Append('\n'))
            vocabulary[((char)unit).ToString()] = vocabulary.Count;
        var tokens = new JsonArray([.. added.Select((token, i) => new JsonObject { ["id"] = 96 + i,
            ["content"] = token, ["special"] = true })]);
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = tokens,
            ["post_processor"] = JsonNode.Parse(postProcessor),
            ["decoder"] = new JsonObject { ["type"] = "Fuse" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        }.ToJsonString();
    }

    /// <summary>A tokenizer read from a folder of these files.</summary>
    public static Tokenizer Load(string json, string? config = null, string? specialTokens = null)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", json);
        if (config is not null)
            folder.Write("tokenizer_config.json", config);
        if (specialTokens is not null)
            folder.Write("special_tokens_map.json", specialTokens);
        return Tokenizer.Load(folder.Path);
    }
}
