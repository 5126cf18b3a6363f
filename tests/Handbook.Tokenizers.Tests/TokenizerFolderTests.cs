using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

public sealed class TokenizerFolderTests
{
    private const string Small = """
        {"version":"1.0","truncation":null,"padding":null,
         "added_tokens":[{"id":3,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
         "normalizer":null,"pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,"decoder":null,
         "model":{"type":"WordLevel","vocab":{"<unk>":0,"one":1,"two":2,"<s>":3},"unk_token":"<unk>"}}
        """;

    public static TheoryData<string> Families => [.. GoldenFamilies.Names];

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Category", "Golden")]
    public void Save_ThenLoad_EncodesAlike(string family)
    {
        var tokenizer = GoldenFamilies.Load(family);
        using var folder = new TemporaryFolder();
        tokenizer.Save(folder.Path);
        var loaded = Tokenizer.Load(folder.Path);
        Assert.Equal(tokenizer.VocabSize, loaded.VocabSize);
        Assert.Equal(tokenizer.AddedTokens, loaded.AddedTokens);
        foreach (var text in GoldenFamilies.Cases(family).Select(golden => golden.GetProperty("text").GetString()!))
            Assert.Equal(tokenizer.Encode(text, true).Ids, loaded.Encode(text, true).Ids);
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Category", "Golden")]
    public void WithAddedTokens_NewTokens_GetNextIdsAndSurviveSaving(string family)
    {
        var tokenizer = GoldenFamilies.Load(family);
        var (first, second) = (new AddedToken("<|ours_1|>") { Special = true }, new AddedToken("ours two"));
        using var folder = new TemporaryFolder();
        tokenizer.WithAddedTokens([first, second]).Save(folder.Path);
        var loaded = Tokenizer.Load(folder.Path);
        var ids = loaded.Encode("a<|ours_1|>ours two", addSpecialTokens: false).Ids;
        Assert.Equal([loaded.TokenToId(first.Content)!.Value, loaded.TokenToId(second.Content)!.Value], ids[^2..]);
        Assert.True(loaded.VocabSize >= tokenizer.VocabSize);
        Assert.Equal(loaded.TokenToId(first.Content) + 1, loaded.TokenToId(second.Content));
        Assert.DoesNotContain(first.Content, loaded.Decode(ids, skipSpecialTokens: true), StringComparison.Ordinal);
        Assert.Equal(tokenizer.Encode("plain text", true).Ids, loaded.Encode("plain text", true).Ids);
    }

    [Fact]
    public void Load_SettingsFiles_AreReadAndWrittenBack()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", Small);
        folder.Write("tokenizer_config.json", """
            {"bos_token":{"content":"<s>","lstrip":false},"eos_token":"two","model_max_length":77,"padding_side":"left",
             "chat_template":[{"name":"default","template":"D"},{"name":"tool_use","template":"T"}],
             "added_tokens_decoder":{"4":{"content":"<x>","special":true,"lstrip":true}}}
            """);
        folder.Write("special_tokens_map.json", """{"unk_token":"<unk>","additional_special_tokens":["<x>"]}""");
        using var copy = new TemporaryFolder();
        Tokenizer.Load(folder.Path).Save(copy.Path);
        foreach (var tokenizer in (Tokenizer[])[Tokenizer.Load(folder.Path), Tokenizer.Load(copy.Path)])
        {
            Assert.Equal((3, 2, null, 0), (tokenizer.BosId, tokenizer.EosId, tokenizer.PadId, tokenizer.UnkId));
            Assert.Equal((77, "D", "T"),
                (tokenizer.ModelMaxLength, tokenizer.ChatTemplate, tokenizer.Settings.NamedChatTemplates["tool_use"]));
            Assert.Equal("left", tokenizer.Settings.Other["padding_side"]!.GetValue<string>());
            Assert.Equal([1, 4, 2], tokenizer.Encode("one  <x>two", false).Ids);
            Assert.Equal(5, tokenizer.VocabSize);
            Assert.True(tokenizer.IsSpecial(4));
        }
        Assert.Equal("D", File.ReadAllText(Path.Combine(copy.Path, "chat_template.jinja")));
    }

    [Fact]
    public void Load_TemplateFile_ComesBeforeConfig()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", Small);
        folder.Write("tokenizer_config.json", """{"chat_template":"old","model_max_length":1e30}""");
        folder.Write("chat_template.jinja", "new");
        var tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal(("new", null), (tokenizer.ChatTemplate, tokenizer.ModelMaxLength));
        using var copy = new TemporaryFolder();
        tokenizer.Save(copy.Path);
        Assert.Contains("1e30", File.ReadAllText(Path.Combine(copy.Path, "tokenizer_config.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Save_TemplateNameOfAnotherFolder_IsRefused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", Small);
        var tokenizer = Tokenizer.Load(folder.Path);
        var hostile = tokenizer.WithSettings(tokenizer.Settings with
        {
            NamedChatTemplates = new Dictionary<string, string>(StringComparer.Ordinal) { ["../../evil"] = "x" },
        });
        var error = Assert.Throws<UserErrorException>(() => hostile.Save(folder.Path));
        Assert.Contains("../../evil", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":""", "tokenizer.json: is not valid JSON: line 1, column 10: the text ends inside an object or a list.")]
    [InlineData("""[]""", "the file is a list, expected an object")]
    [InlineData("""{"version":"1.0"}""", "model is missing")]
    [InlineData("""{"model":{"type":"Unigramm","vocab":[]}}""",
        "model.type is \"Unigramm\", expected one of BPE, Unigram, WordPiece, WordLevel. Did you mean Unigram?")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}""", "model.merges[0]: \"b\" is not in the vocabulary")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["ab"]}}""",
        "model.merges[0] is \"ab\", expected two tokens with one space between them")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":2000000000},"merges":[]}}""",
        "token \"a\" has the id 2000000000; ids go from 0 to 16777215")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "model.vocab is -1, expected a whole number")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}}""", "model.dropout is 0.1")]
    [InlineData("""{"model":{"type":"Unigram","unk_id":3,"vocab":[["a",0]]}}""", "model.unk_id is 3, but there are 1 tokens")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[]},"normalizer":{"type":"Sequence","normalizers":[{"type":"NFX"}]}}""",
        "normalizer.normalizers[0].type is \"NFX\"")]
    [InlineData(
        """{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a"}"""
        + ""","behavior":"Isolated"}}""", "a ( without )")]
    [InlineData(
        """{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":{"String":"a"}"""
        + ""","behavior":"Isolate"}}""", "pre_tokenizer.behavior is \"Isolate\", expected one of Isolated")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[]},"added_tokens":[{"id":1,"content":7}]}""",
        "added_tokens[0].content is 7, expected a string")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"\ud800":0},"merges":[]}}""", "not valid Unicode")]
    public void Load_WrongFile_NamesFileAndKey(string content, string expected)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("tokenizer.json", content);
        var error = Assert.Throws<UserErrorException>(() => Tokenizer.Load(folder.Path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Load_FolderWithoutTokenizer_SaysWhatIsExpected()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<UserErrorException>(() => Tokenizer.Load(folder.Path));
        Assert.EndsWith("expected tokenizer.json, tokenizer.model, or vocab.json with merges.txt", error.Message, StringComparison.Ordinal);
    }
}
