using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

public sealed class UnknownTokenTests
{
    [Theory]
    [InlineData("""{"type":"WordLevel","vocab":{"a":0},"unk_token":"x\ny"}""")]
    [InlineData(
        """{"type":"WordPiece","vocab":{"a":0},"unk_token":"x\ny","continuing_subword_prefix":"##","max_input_chars_per_word":100}""")]
    [InlineData("""{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"x\ny"}""")]
    public void Encode_UnknownTokenNotInVocabulary_IsOneLine(string model)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", $$"""{"model":{{model}}}""");
        var tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal([0], tokenizer.Encode("a", addSpecialTokens: false).Ids);
        var error = Assert.Throws<UserErrorException>(() => tokenizer.Encode("b", addSpecialTokens: false));
        Assert.Equal("tokenizer.json: part of the text is not in the vocabulary, and neither is model.unk_token \"x y\".", error.Message);
    }
}
