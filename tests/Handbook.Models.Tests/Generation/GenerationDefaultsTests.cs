using System.Text.Json.Nodes;
using Handbook.Models.Generation;
using Handbook.TestSupport;

namespace Handbook.Models.Tests.Generation;

public sealed class GenerationDefaultsTests
{
    private static GenerationDefaults Of(string json) =>
        GenerationDefaults.Of(JsonNode.Parse(json)!.AsObject(), "m/generation_config.json");

    [Fact]
    public void Of_AllSettings_AreRead()
    {
        var defaults = Of("""
            {
              "eos_token_id": [2, 426], "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.1, "repetition_penalty": 1.05,
              "stop_strings": "END", "do_sample": false
            }
            """);
        Assert.Equal([2, 426], defaults.EosTokenIds);
        Assert.Equal((0.6, 20, 0.95, 0.1, 1.05),
            (defaults.Temperature, defaults.TopK, defaults.TopP, defaults.MinP, defaults.RepetitionPenalty));
        Assert.Equal(["END"], defaults.StopStrings!);
        Assert.Empty(defaults.Unread);
    }

    [Theory]
    [InlineData("""{"eos_token_id": 7}""", "7")]
    [InlineData("""{"eos_token_id": 7.0}""", "7")]
    [InlineData("""{"eos_token_id": []}""", "")]
    [InlineData("""{"eos_token_id": null}""", "")]
    [InlineData("{}", "")]
    public void Of_EosTokens_AreNoneOneOrSeveral(string json, string expected) =>
        Assert.Equal(expected, string.Join(" ", Of(json).EosTokenIds));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("-1", 0)]
    [InlineData("50.0", 50)]
    [InlineData("null", null)]
    public void Of_TopK_HasThreeWordsForAll(string value, int? expected) => Assert.Equal(expected, Of($$"""{"top_k": {{value}}}""").TopK);

    [Theory]
    [InlineData("""{"eos_token_id": "</s>"}""", "eos_token_id: expected a token id or a list of them, found \"\\u003C/s\\u003E\".")]
    [InlineData("""{"eos_token_id": [1, -2]}""", "eos_token_id: expected a token id or a list of them, found [1,-2].")]
    [InlineData("""{"eos_token_id": [1, null]}""", "eos_token_id: expected a token id or a list of them, found [1,null].")]
    [InlineData("""{"temperature": "hot"}""", "temperature: expected a number of 0 or more, found \"hot\".")]
    [InlineData("""{"temperature": -0.5}""", "temperature: expected a number of 0 or more, found -0.5.")]
    [InlineData("""{"top_k": 1.5}""", "top_k: expected a whole number, found 1.5.")]
    [InlineData("""{"top_p": 1.5}""", "top_p: expected a number above 0, up to 1, found 1.5.")]
    [InlineData("""{"repetition_penalty": 0}""", "repetition_penalty: expected a number above 0, found 0.")]
    [InlineData("""{"stop_strings": ["a", ""]}""",
        "stop_strings: expected a text or a list of texts, none of them empty, found [\"a\",\"\"].")]
    public void Of_WrongValue_IsOneLineWithFileAndKey(string json, string expected) =>
        Assert.Equal("m/generation_config.json: " + expected, Assert.Throws<UserErrorException>(() => Of(json)).Message);

    [Fact]
    public void Of_SettingsWithoutEffectHere_AreNamed() => Assert.Equal(
        ["no_repeat_ngram_size", "bad_words_ids"],
        Of("""
        {
          "typical_p": 1.0, "num_beams": 1, "no_repeat_ngram_size": 3, "bad_words_ids": [[1]], "suppress_tokens": [],
          "forced_bos_token_id": null
        }
        """).Unread);

    [Fact]
    public void Generator_GoesByTheFilesEosTokens()
    {
        using var folder = new TemporaryFolder();
        using (var made = TinyModels.Create())
            made.Save(folder.Path, Handbook.Torch.DType.Float32);
        var file = folder.File("generation_config.json");
        int[] free;
        using (var model = CausalLanguageModel.Load(folder.Path))
            free = [.. new Generator(model).Run(new GenerationRequest { Prompt = [5, 6, 7], MaxNewTokens = 12, StopTokens = [] }).Tokens];
        var end = free.Distinct().Skip(2).First();
        File.WriteAllText(file, $$"""{"eos_token_id": [{{end}}, 100000]}""");
        using var ending = CausalLanguageModel.Load(folder.Path);
        var result = new Generator(ending).Run(new GenerationRequest { Prompt = [5, 6, 7], MaxNewTokens = 12 });
        Assert.Equal((FinishReason.StopToken, Array.IndexOf(free, end)), (result.Reason, result.Tokens.Count));
    }
}
