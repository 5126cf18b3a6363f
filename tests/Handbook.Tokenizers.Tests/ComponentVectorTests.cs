using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>
/// Every kind of component on toy vocabularies, against what Hugging Face's library gives: Vectors/components.jsonl, made by
/// Vectors/make-vectors.mjs with npm package tokenizers 0.23.2.
/// </summary>
public sealed class ComponentVectorTests
{
    private static readonly string[] Lines = File.ReadAllLines(
        Path.Combine(SharedFolders.Root, "tests", "Handbook.Tokenizers.Tests", "Vectors", "components.jsonl"));

    private static readonly string[] Texts = JsonDocument.Parse(Lines[0]).RootElement.GetProperty("texts").Deserialize<string[]>()!;

    internal static readonly string[] VectorNames =
        Lines.Skip(1).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("name").GetString()!).ToArray();

    public static TheoryData<string> Names => [.. VectorNames];

    [Theory]
    [MemberData(nameof(Names))]
    public void Tokenizer_Component_GivesReferenceResults(string name)
    {
        var vector = Find(name);
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, WithModel(vector.GetProperty("tokenizer")));
            var tokenizer = Tokenizer.LoadFile(path);
            if (vector.TryGetProperty("decode", out var decode))
                CheckDecoding(tokenizer, vector, decode);
            else
                CheckEncoding(tokenizer, vector);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void CheckEncoding(Tokenizer tokenizer, JsonElement vector)
    {
        for (var i = 0; i < Texts.Length; i++)
        {
            var text = Texts[i];
            var encoded = tokenizer.Encode(text, addSpecialTokens: false);
            Same(text, "ids", Row(vector, "ids", i)!, encoded.Ids);
            Same(text, "offsets", Row(vector, "offsets", i)!,
                encoded.OffsetsInCodePoints().SelectMany(range => new[] { range.Start, range.End }).ToArray());
            if (Row(vector, "special", i) is { } special)
                Same(text, "special", special, tokenizer.Encode(text, addSpecialTokens: true).Ids);
            if (vector.GetProperty("decoded").GetArrayLength() > 0)
                Assert.Equal(vector.GetProperty("decoded")[i].GetString(), tokenizer.Decode(encoded.Ids, skipSpecialTokens: false));
        }
    }

    private static void CheckDecoding(Tokenizer tokenizer, JsonElement vector, JsonElement lists)
    {
        for (var i = 0; i < lists.GetArrayLength(); i++)
        {
            var ids = lists[i].Deserialize<int[]>()!;
            Assert.Equal(vector.GetProperty("decoded")[i].GetString(), tokenizer.Decode(ids, skipSpecialTokens: false));
            Assert.Equal(vector.GetProperty("skipped")[i].GetString(), tokenizer.Decode(ids, skipSpecialTokens: true));
        }
    }

    private static void Same(string text, string what, int[] expected, int[] actual) => Assert.True(
        expected.AsSpan().SequenceEqual(actual),
        $"{what} of {JsonValue.Create(text).ToJsonString()}\nexpected "
            + $"[{string.Join(',', expected)}]\n     got [{string.Join(',', actual)}]");

    private static int[]? Row(JsonElement vector, string key, int row) =>
        vector.GetProperty(key).GetArrayLength() == 0 ? null : vector.GetProperty(key)[row].Deserialize<int[]>();

    /// <summary>The tokenizer file of a vector.</summary>
    internal static string TokenizerFile(string name) => WithModel(Find(name).GetProperty("tokenizer"));

    private static JsonElement Find(string name) =>
        JsonDocument.Parse(Lines.Skip(1)
            .Single(line => JsonDocument.Parse(line).RootElement.GetProperty("name").GetString() == name)).RootElement;

    /// <summary>The tokenizer file; a model given by name stands in the first line.</summary>
    private static string WithModel(JsonElement tokenizer)
    {
        var file = JsonNode.Parse(tokenizer.GetRawText())!.AsObject();
        if (file["model"] is JsonValue name)
            file["model"] = JsonNode.Parse(Lines[0])!["models"]![name.GetValue<string>()]!.DeepClone();
        return file.ToJsonString();
    }
}
