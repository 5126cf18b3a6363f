using System.Text.Json.Nodes;
using Handbook.Gguf.Tests.Oracle;
using Handbook.TestSupport;
using Handbook.Tokenizers;

namespace Handbook.Gguf.Tests.Vocabularies;

/// <summary>Kinds of tokenizers of which no published file lies in the golden vectors, made here by rule.</summary>
public sealed class SentencePieceTests : IDisposable
{
    private static readonly string[] Texts =
    [
        "", " ", "a", "banana bandana", " banana", "ba  nan\n\n", "öl und ban", "日本 banana 😀", "<s>ban</s> ana<s> ", "<0x0A>",
        "aaaaaaaaaaab",
        "the ban,the\tban",
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("gemma")]
    [InlineData("llama")]
    [InlineData("always")]
    public void BytePairs_WithBytes_GiveOurIds(string kind)
    {
        var json = BytePairs();
        var replace = JsonNode.Parse("""{"type":"Replace","pattern":{"String":" "},"content":"▁"}""")!;
        json["normalizer"] = kind switch
        {
            "gemma" => replace,
            "llama" => new JsonObject
            {
                ["type"] = "Sequence",
                ["normalizers"] = new JsonArray(JsonNode.Parse("""{"type":"Prepend","prepend":"▁"}"""), replace),
            },
            _ => null,
        };
        json["pre_tokenizer"] = JsonNode.Parse(kind switch
        {
            "gemma" => """{"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert":false}""",
            "always" => """{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":false}""",
            _ => "null",
        });
        // Metaspace puts no mark before a space, and llama.cpp does: its remark says so.
        AssertSame(json, kind == "always" ? text => !text.StartsWith(' ') && !text.Contains("> ", StringComparison.Ordinal) : _ => true);
    }

    [Fact]
    public void Unigram_GivesOurIds()
    {
        var json = JsonNode.Parse("""
            {"version":"1.0","added_tokens":[],"normalizer":null,
             "pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},
             "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["▁",-2.1],
              ["a",-3.0],["b",-3.2],["n",-3.1],["an",-2.5],["ana",-4.0],
              ["ban",-4.1],["▁ban",-4.4],["t",-3.3],["h",-3.4],["e",-3.0],["▁the",-3.9],["d",-3.6],["nana",-6.5]]}}
            """)!.AsObject();
        AssertSame(json, text => !text.StartsWith(' ') && !text.Contains('<', StringComparison.Ordinal) && text.Length > 0);
    }

    [Theory]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}""", false, "gpt-2")]
    [InlineData(SingleDigits, false, "smollm")]
    [InlineData(ThreeDigits, true, "llama-bpe")]
    [InlineData(ThreeDigits, false, "dbrx")]
    public void PreTokenizer_IsNamedByItsPattern(string section, bool ignoreMerges, string expected) =>
        Assert.Equal(expected, Name(section, ignoreMerges));

    [Theory]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true}""", "it puts a space before a text (add_prefix_space)")]
    [InlineData("""[{"type":"Digits","individual_digits":false},{"type":"ByteLevel","add_prefix_space":false}]""",
        "its pre-tokenizer (Digits, ByteLevel) has no name in llama.cpp")]
    [InlineData("""
        [{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated","invert":false},
         {"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]
        """,
        "its split pattern \\w+ has no name in llama.cpp")]
    public void PreTokenizer_ThatLlamaCppHasNot_IsRefused(string section, string reason)
    {
        var error = Assert.Throws<UserErrorException>(() => Name(section, ignoreMerges: false));

        Assert.Equal($"here: {reason}; such a tokenizer cannot be written as GGUF.", error.Message);
    }

    private const string SingleDigits = """[{"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":false}]""";

    private const string ThreeDigits = """[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?"""
        + """\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false},"""
        + """{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]""";

    private string Name(string section, bool ignoreMerges)
    {
        var json = new JsonObject
        {
            ["pre_tokenizer"] = JsonNode.Parse(section) is JsonArray steps
                ? new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = steps } : JsonNode.Parse(section),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["ignore_merges"] = ignoreMerges, ["merges"] = new JsonArray("a b"),
                ["vocab"] = new JsonObject { ["a"] = 0, ["b"] = 1, ["ab"] = 2 },
            },
        };
        VocabularyFile.Write(folder.File("v.gguf"), Tokenizer.LoadFile(folder.Write("tokenizer.json", json.ToJsonString())), "here");
        return (string)new Format.GgufReader(folder.File("v.gguf")).Keys["tokenizer.ggml.pre"];
    }

    private void AssertSame(JsonObject json, Func<string, bool> isMeant)
    {
        var tokenizer = Tokenizer.LoadFile(folder.Write("tokenizer.json", json.ToJsonString()));
        VocabularyFile.Write(folder.File("v.gguf"), tokenizer, "here");
        using var theirs = new LlamaCpp(folder.File("v.gguf"), vocabularyOnly: true);
        foreach (var text in Texts.Where(isMeant))
        {
            var (ours, others) = (tokenizer.Encode(text, addSpecialTokens: false).Ids, theirs.Tokenize(text, addSpecial: false));
            Assert.Equal($"{text}: {string.Join(' ', ours)}", $"{text}: {string.Join(' ', others)}");
        }
    }

    private static JsonObject BytePairs()
    {
        var vocabulary = new JsonObject { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2 };
        foreach (var value in Enumerable.Range(0, 256))
            vocabulary[$"<0x{value:X2}>"] = vocabulary.Count;
        var merges = new JsonArray();
        foreach (var unit in "▁abnthe,d")
            vocabulary[unit.ToString()] = vocabulary.Count;
        foreach (var merge in "a n|b an|▁ ban|▁ ▁|an a|t h|th e|▁ the|ban ana|a a|aa aa".Split('|'))
        {
            vocabulary[merge.Replace(" ", "", StringComparison.Ordinal)] = vocabulary.Count;
            merges.Add((JsonNode)new JsonArray([.. merge.Split(' ').Select(part => (JsonNode)part)]));
        }
        JsonObject Added(int id, string text) => new() { ["id"] = id, ["content"] = text, ["special"] = true, ["normalized"] = false };
        return new JsonObject
        {
            ["added_tokens"] = new JsonArray(Added(0, "<unk>"), Added(1, "<s>"), Added(2, "</s>")),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["unk_token"] = "<unk>", ["fuse_unk"] = true, ["byte_fallback"] = true,
                ["vocab"] = vocabulary, ["merges"] = merges,
            },
        };
    }
}
