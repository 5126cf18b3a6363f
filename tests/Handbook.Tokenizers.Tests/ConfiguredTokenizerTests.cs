using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>What stands beside tokenizer.json and changes it: transformers' classes are the reference.</summary>
public sealed class ConfiguredTokenizerTests
{
    private const string BosFrame = """
        {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
         "pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
         "special_tokens":{"<s>":{"id":"<s>","ids":[96],"tokens":["<s>"]}}}
        """;

    private const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true}""";

    // 96 is <s>, 97 </s>; 65 is a.
    [Theory]
    [InlineData(BosFrame, """ "add_bos_token":false,"tokenizer_class":"LlamaTokenizerFast" """, "65")]
    [InlineData(BosFrame, """ "add_bos_token":false,"tokenizer_class":"PreTrainedTokenizerFast" """, "65")]
    [InlineData(BosFrame, """ "tokenizer_class":"PreTrainedTokenizerFast" """, "96 65")]
    [InlineData("null", """ "tokenizer_class":"PreTrainedTokenizerFast" """, "65")]
    [InlineData("null", """ "tokenizer_class":"LlamaTokenizer" """, "96 65")]
    [InlineData("null", """ "tokenizer_class":"LlamaTokenizerFast","add_eos_token":true """, "96 65 97")]
    [InlineData("null", """ "tokenizer_class":"GemmaTokenizerFast","add_bos_token":false """, "65")]
    [InlineData(ByteLevel, """ "add_bos_token":true """, "96 65")]
    [InlineData(BosFrame, """ "add_eos_token":true """, "65 97")]
    [InlineData(BosFrame, """ "add_bos_token":true,"add_eos_token":true """, "96 65 97")]
    public void Load_AddBosAndAddEos_DecideWhatStandsAroundAText(string postProcessor, string keys, string expected)
    {
        var config = $$"""{"bos_token":"<s>","eos_token":"</s>",{{keys}}}""";
        var tokenizer = CharacterTokenizer.Load(CharacterTokenizer.Json(postProcessor, "<s>", "</s>"), config);
        Assert.Equal(expected, Ids(tokenizer.Encode("a", addSpecialTokens: true).Ids));
        Assert.Equal("65", Ids(tokenizer.Encode("a", addSpecialTokens: false).Ids));
        // What is saved says it in tokenizer.json too, for readers of that file alone.
        using var folder = new TemporaryFolder();
        tokenizer.Save(folder.Path);
        Assert.Equal(expected,
            Ids(Tokenizer.LoadFile(Path.Combine(folder.Path, "tokenizer.json")).Encode("a", addSpecialTokens: true).Ids));
        Assert.Equal(expected, Ids(Tokenizer.Load(folder.Path).Encode("a", addSpecialTokens: true).Ids));
    }

    [Fact]
    public void Load_AddBosWithoutABosToken_AddsNothing() =>
        Assert.Equal("65",
            Ids(CharacterTokenizer.Load(CharacterTokenizer.Json("null", "<s>"), """{"add_bos_token":true}""")
                .Encode("a", addSpecialTokens: true).Ids));

    /// <summary>The Llama classes have names for their tokens; null is none.</summary>
    [Theory]
    [InlineData("""{"tokenizer_class":"LlamaTokenizerFast"}""", "<s>", "96 65")]
    [InlineData("""{"tokenizer_class":"LlamaTokenizerFast","bos_token":null}""", null, "65")]
    [InlineData("""{"tokenizer_class":"PreTrainedTokenizerFast"}""", null, "65")]
    public void Load_LlamaWithoutNames_HasTheUsualOnes(string config, string? bos, string expected)
    {
        var tokenizer = CharacterTokenizer.Load(CharacterTokenizer.Json("null", "<s>", "</s>", "<unk>"), config);
        Assert.Equal((bos, expected), (tokenizer.Settings.BosToken, Ids(tokenizer.Encode("a", addSpecialTokens: true).Ids)));
    }

    [Fact]
    public void Load_AddBosThatIsNoFlag_NamesFileAndKey()
    {
        var error = Assert.Throws<UserErrorException>(() => CharacterTokenizer.Load(CharacterTokenizer.Json(),
            """{"add_bos_token":"yes"}"""));
        Assert.EndsWith("add_bos_token is \"yes\", expected true or false", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"eos_token":"<|eot|>","additional_special_tokens":["<tool>",{"content":"<arg>","lstrip":true}]}""", null,
        "<|eot|> <tool> <arg>")]
    [InlineData("""{"extra_special_tokens":["<x>"],"pad_token":"<pad>"}""", null, "<pad> <x>")]
    [InlineData("""{"extra_special_tokens":{"image_token":"<img>"}}""", null, "<img>")]
    [InlineData(null, """{"eos_token":{"content":"<|eot|>"},"additional_special_tokens":["<tool>"]}""", "<|eot|> <tool>")]
    [InlineData("""{"eos_token":"a","unk_token":"<s>"}""", null, "")]
    [InlineData("""{"eos_token":"<e>","added_tokens_decoder":{"97":{"content":"<d>","special":true}}}""", null, "<d> <e>")]
    public void Load_SpecialTokensThatTokenizerJsonLacks_AreAddedAsSpecial(string? config, string? map, string expected)
    {
        var tokenizer = CharacterTokenizer.Load(CharacterTokenizer.Json("null", "<s>"), config, map);
        var added = tokenizer.AddedTokens.Where(entry => entry.Key > 96).ToList();
        Assert.Equal(expected, string.Join(' ', added.Select(entry => entry.Value.Content)));
        Assert.All(added, entry => Assert.True(entry.Value.Special));
        Assert.All(added, entry => Assert.Equal([entry.Key], tokenizer.Encode(entry.Value.Content, addSpecialTokens: false).Ids));
        Assert.Equal(97 + added.Count, tokenizer.VocabSize);
        using var folder = new TemporaryFolder();
        tokenizer.Save(folder.Path);
        Assert.Equal(tokenizer.AddedTokens, Tokenizer.Load(folder.Path).AddedTokens);
    }

    [Fact]
    public void Load_AnEosThatOnlyTheConfigurationNames_IsTheEndOfTurn() =>
        Assert.Equal(97, CharacterTokenizer.Load(CharacterTokenizer.Json("null", "<s>"), """{"eos_token":"<|eot|>"}""").EosId);

    [Theory]
    [InlineData("""{"eos_token":"</s>"}""", "<s>")]
    [InlineData("""{"eos_token":"</s>","added_tokens_decoder":{}}""", "</s>")]
    public void Load_MapAndConfigurationDisagree_TheMapDecidesOnlyInOlderFolders(string config, string eos) =>
        Assert.Equal(eos,
            CharacterTokenizer.Load(CharacterTokenizer.Json("null", "<s>", "</s>"), config, """{"eos_token":"<s>"}""").Settings.EosToken);

    [Theory]
    [InlineData("tokenizer_config.json", """{"additional_special_tokens":7}""",
        "additional_special_tokens is neither a list nor a map of tokens")]
    [InlineData("special_tokens_map.json", """{"additional_special_tokens":[7]}""",
        "additional_special_tokens[0] is neither a string nor an object with content")]
    public void Load_BrokenSpecialTokens_NameTheirFile(string file, string content, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", CharacterTokenizer.Json());
        folder.Write(file, content);
        var error = Assert.Throws<UserErrorException>(() => Tokenizer.Load(folder.Path));
        Assert.Equal($"{Path.Combine(folder.Path, file)}: {expected}", error.Message);
    }

    private static string Ids(int[] ids) => string.Join(' ', ids.Select(id => id.ToString(CultureInfo.InvariantCulture)));
}
