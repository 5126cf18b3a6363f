using System.Text.Json.Nodes;
using Handbook.TestSupport;
using Handbook.Tokenizers;

namespace Handbook.Gguf.Tests.Oracle;

/// <summary>llama.cpp's ids on the golden texts are ours, but for a few that are explained one by one.</summary>
[Trait("Category", "Golden")]
public sealed class TokenizerTests
{
    private const string NotComposed =
        "the text is not NFC: the tokenizer composes it first, llama.cpp has no such step (its converter leaves it out too)";

    private const string NormalizedToken =
        "special tokens are looked for in normalized text (normalized: true), where a mark stands before them: Hugging Face finds them "
        + "only where nothing stands before, or a space does; llama.cpp looks at the text itself and finds them all";

    private const string FirstMarkOnly =
        "Metaspace puts its mark before the first piece of a text alone and before no space; llama.cpp before every text between special "
        + "tokens";

    private const string KnownText =
        "no token of this tokenizer is special; llama.cpp takes a token with the text <|im_end|> for the end of a turn, whatever its kind";

    /// <summary>Lines of the golden file (the first is 0, the header) whose ids differ, and why.</summary>
    private static readonly Dictionary<string, (string Reason, int[] Lines)> Explained = new()
    {
        ["gpt-neox-20b"] = (NotComposed, [73]),
        ["qwen2.5"] = (NotComposed, [73, 77]),
        ["qwen3"] = (NotComposed, [73, 76]),
        ["llama2"] = (NormalizedToken, [88, 89, 90, 91, 92, 93, 95, 97, 98, 99]),
        ["stories260K"] = (NormalizedToken, [88, 89, 90, 91, 92, 93, 95, 97, 98, 99]),
        ["mistral-v0.3"] = (FirstMarkOnly, [3, 4, 8, 12, 14, 70, 81, 89, 90, 91, 92, 97, 99]),
        ["torchtitan-test"] = (KnownText, [100]),
    };

    /// <summary>Tokenizers that are refused: the published file is cut down to tokens that some texts need.</summary>
    private const string Cropped = "gemma__tokenizer_cropped";

    public static TheoryData<string> Families() => [.. SharedFolders.GoldenFiles("tokenizers", "*.jsonl")
        .Select(path => Path.GetFileNameWithoutExtension(path)).Where(family => family != Cropped)];

    [Theory]
    [MemberData(nameof(Families))]
    public void Ids_OfGoldenTexts_AreOursButForTheExplainedOnes(string family)
    {
        var lines = File.ReadAllLines(SharedFolders.Golden("tokenizers", family + ".jsonl"));
        var source = Source(family, JsonNode.Parse(lines[0])!);
        using var folder = new TemporaryFolder();
        VocabularyFile.Write(folder.File("v.gguf"), Tokenizer.LoadFile(source), source, family);
        using var theirs = new LlamaCpp(folder.File("v.gguf"), vocabularyOnly: true);

        var different = lines.Index().Skip(1).Where(line => Differs(theirs, JsonNode.Parse(line.Item)!)).Select(line => line.Index);

        Assert.Equal(Explained.GetValueOrDefault(family, ("", [])).Lines, different);
    }

    [Fact]
    public void Ids_OfConversations_AreOursWithMetaspaceFirst()
    {
        // A model that chats: texts stand between special tokens, and none is the first.
        var source = SharedFolders.Data("tokenizers", "mistral-v0.3", "tokenizer.json");
        var tokenizer = Tokenizer.LoadFile(source);
        tokenizer = tokenizer.WithSettings(tokenizer.Settings with { ChatTemplate = "any" });
        using var folder = new TemporaryFolder();
        VocabularyFile.Write(folder.File("v.gguf"), tokenizer, source);
        using var theirs = new LlamaCpp(folder.File("v.gguf"), vocabularyOnly: true);

        foreach (var text in (string[])["<s>[INST] Hello there [/INST] Hi!</s>[INST]  two  spaces\n [/INST]", "<s>[INST]x[/INST]"])
            Assert.Equal(tokenizer.Encode(text, addSpecialTokens: false).Ids, theirs.Tokenize(text, addSpecial: false));
    }

    [Fact]
    public void Cropped_WithoutTokensForBytes_IsRefused()
    {
        var source = SharedFolders.Data("tokenizers", "gemma", "tokenizer_cropped.json");
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<UserErrorException>(
            () => VocabularyFile.Write(folder.File("v.gguf"), Tokenizer.LoadFile(source), source));

        Assert.Equal($"{source}: it is no byte-level BPE and has no token for every byte (byte_fallback); "
            + "such a tokenizer cannot be written as GGUF.", error.Message);
    }

    private static string Source(string family, JsonNode header) => header["fixture"] is { } fixture
        ? SharedFolders.Golden("tokenizers", fixture.GetValue<string>())
        : family == "stories260K" ? SharedFolders.Data("models", family, "hf", "tokenizer.json")
        : SharedFolders.Data("tokenizers", family, "tokenizer.json");

    private static bool Differs(LlamaCpp theirs, JsonNode row) => !theirs.Tokenize(row["text"]!.GetValue<string>(), addSpecial: false)
        .SequenceEqual(row["ids"]!.AsArray().Select(id => id!.GetValue<int>()));
}
