using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>Files that would fill memory or never end: one line that says why, whatever the text.</summary>
public sealed class HostileTokenizerTests
{
    private static string Doubling(string step, bool normalized)
    {
        var json = (JsonObject)JsonNode.Parse(CharacterTokenizer.Json("null", "<s>"))!;
        json["normalizer"] = new JsonObject
        {
            ["type"] = "Sequence", ["normalizers"] = new JsonArray([.. Enumerable.Range(0, 60).Select(_ => JsonNode.Parse(step))]),
        };
        json["added_tokens"]![0]!["normalized"] = normalized;
        return json.ToJsonString();
    }

    [Theory]
    [InlineData("""{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"."},"content":"aa"}""")]
    [InlineData(
        """{"type":"Prepend","prepend":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"""
            + """aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}""")]
    [InlineData("""{"type":"ByteLevel"}""")]
    public void Encode_ANormalizerThatDoublesTheTextSixtyTimes_IsOneLine(string step)
    {
        var tokenizer = CharacterTokenizer.Load(Doubling(step, normalized: false));
        var error = Assert.Throws<UserErrorException>(() => tokenizer.Encode("a\u00E9b", addSpecialTokens: false));
        Assert.Equal("tokenizer.json: the normalizer makes more than 4144 characters of 3; it cannot be used.", error.Message);
    }

    [Fact]
    public void Load_ANormalizerThatDoublesAnAddedToken_IsOneLine() =>
        Assert.Throws<UserErrorException>(() => CharacterTokenizer.Load(Doubling(
            """{"type":"Replace","pattern":{"String":"s"},"content":"ss"}""", normalized: true)));

    [Fact]
    public void Encode_ANormalizerThatMakesAFewCharactersOfOne_IsUsed()
    {
        var json = (JsonObject)JsonNode.Parse(CharacterTokenizer.Json())!;
        json["normalizer"] = JsonNode.Parse("""{"type":"Replace","pattern":{"String":"1"},"content":"one and "}""");
        Assert.Equal(8 * 10_000,
            CharacterTokenizer.Load(json.ToJsonString()).Encode(new string('1', 10_000), addSpecialTokens: false).Count);
    }

    [Theory]
    [InlineData("(a+)+b")]
    [InlineData("(a|a)*b")]
    [InlineData("(aa|a)+b")]
    [InlineData("(?=(a+)+b)")]
    public void Encode_APatternThatNeverEnds_IsOneLine(string pattern)
    {
        var json = (JsonObject)JsonNode.Parse(CharacterTokenizer.Json())!;
        json["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated", ["invert"] = false,
        };
        var tokenizer = CharacterTokenizer.Load(json.ToJsonString());
        var error = Assert.Throws<UserErrorException>(() => tokenizer.Encode(new string('a', 3000), addSpecialTokens: false));
        Assert.Equal("tokenizer.json: a pattern needs too many steps on this text; it cannot be used.", error.Message);
    }

    [Fact]
    public void Load_APatternOfThousands_IsRefused()
    {
        var json = (JsonObject)JsonNode.Parse(CharacterTokenizer.Json())!;
        json["normalizer"] = new JsonObject
        {
            ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = new string('a', 5000) }, ["content"] = "",
        };
        var error = Assert.Throws<UserErrorException>(() => CharacterTokenizer.Load(json.ToJsonString()));
        Assert.EndsWith("a pattern of 5000 characters; at most 4096 are looked for", error.Message, StringComparison.Ordinal);
    }
}
