using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>BPE without an unknown token and without bytes to fall back to: what it does not know vanishes, as in the library.</summary>
public sealed class DroppedCharacterTests
{
    private const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""";
    private const string Metaspace = """{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always","split":false}""";

    private static Tokenizer Make(string preTokenizer)
    {
        var model = (JsonObject)JsonNode.Parse("""
            {"type":"BPE","vocab":{"a":0,"b":1,"\u2581":2,"\u0120":3,"ab":4,"\u2581a":5,"ba":6,"abb":7},
             "merges":["a b","\u2581 a","b a","ab b"]}
            """)!;
        return CharacterTokenizer.Load(new JsonObject { ["model"] = model, ["pre_tokenizer"] = JsonNode.Parse(preTokenizer) }
            .ToJsonString());
    }

    [Theory]
    [InlineData("null", "a\u00E9b", "4")]
    [InlineData("null", "\u00E9", "")]
    [InlineData("null", "xyz", "")]
    [InlineData("null", "a x b", "4")]
    [InlineData(ByteLevel, "a\u00E9", "0")]
    [InlineData(ByteLevel, "\u65E5\u672C", "")]
    [InlineData(Metaspace, "a\u00E9b", "2 4")]
    public void Encode_UnknownCharacters_Vanish(string preTokenizer, string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', Make(preTokenizer).Encode(text, addSpecialTokens: false).Ids.Select(id => $"{id}")));

    [Theory]
    [InlineData("null")]
    [InlineData(ByteLevel)]
    [InlineData(Metaspace)]
    public void Encode_FastAndPlain_DropAlike(string preTokenizer)
    {
        var fast = Make(preTokenizer);
        var plain = fast.WithoutFastEncoder();
        var random = new Random(8128);
        for (var round = 0; round < 2000; round++)
        {
            var text = new string(Enumerable.Range(0, random.Next(24)).Select(_ => "aabb \u00E9\u65E5x"[random.Next(8)]).ToArray());
            var (expected, found) = (plain.Encode(text, addSpecialTokens: false), fast.Encode(text, addSpecialTokens: false));
            Assert.Equal(expected.Ids, found.Ids);
            Assert.Equal(expected.Offsets, found.Offsets);
        }
    }
}
