using System.Text.Json;
using Handbook.TestSupport;
using Handbook.Tokenizers.Training;

namespace Handbook.Tokenizers.Tests;

public sealed class BpeTrainerTests
{
    // Words: "low" x5, " lower" x2 and line breaks. Pairs: l-o 7, o-w 7, the others 2. Of equally frequent pairs the one with
    // the smaller ids goes first: l-o before o-w, and after lo-w, e-r before space-low ('e' < U+0120, which spells the space).
    private const string Corpus = "low\nlow\nlow\nlow\nlow lower lower\n";

    [Fact]
    public void Train_SmallCorpus_MergesMostFrequentPairsInOrder()
    {
        var tokenizer = Train(256 + 4, 2, Corpus);
        Assert.Equal(["l o", "lo w", "e r", "\u0120 low"], Merges(tokenizer));
        Assert.Equal(["\u0120low", "er", "\u010A"], tokenizer.Encode(" lower\n", false).Ids.Select(id => tokenizer.IdToToken(id)));
    }

    [Fact]
    public void Train_RepeatedSymbols_MergesAsTheLibraryDoes()
    {
        // npm tokenizers 0.23.2: BPE.empty() with byteLevelPreTokenizer(false, true), train() on a file with this text.
        var tokenizer = Train(30000, 0, "aaaa aaa aabab abab ababab\n");
        Assert.Equal(ExpectedMerges, Merges(tokenizer));
    }

    private static readonly string[] ExpectedMerges =
    [
        "a b", "a a", "ab ab", "\u0120 abab", "a abab", "\u0120 aa", "\u0120 aabab", "aa aa", "\u0120abab ab", "\u0120aa a",
    ];

    [Fact]
    public void Train_RarePairs_AreLeftOut() => Assert.Equal(256 + 2, Train(10000, 7, Corpus).VocabSize);

    [Fact]
    public void Train_SpecialTokens_ComeFirstAndAreNeverCut()
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = 300, SpecialTokens = ["<|end|>", "<|pad|>"] });
        trainer.Feed(Corpus);
        var tokenizer = trainer.Train(new TokenizerSettings { EosToken = "<|end|>", PadToken = "<|pad|>" });
        Assert.Equal((0, 1), (tokenizer.EosId, tokenizer.PadId));
        Assert.Equal([0], tokenizer.Encode("<|end|>", false).Ids);
        Assert.Equal("", tokenizer.Decode([0, 1], skipSpecialTokens: true));
    }

    [Fact]
    public void Train_TextsInOtherOrder_GivesSameFile()
    {
        string[] texts = ["one two three two one", "zwei drei zwei", "x = 12345; y = 678\n", "\U0001F600\U0001F600 e\u0301"];
        Assert.Equal(Merges(Train(400, 1, texts)), Merges(Train(400, 1, texts.Reverse().ToArray())));
    }

    [Fact]
    public void Train_SplitDigits_NeverJoinsDigits()
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = 1000, MinFrequency = 1, SplitDigits = true });
        trainer.Feed("1234 1234 1234");
        var tokenizer = trainer.Train(new TokenizerSettings());
        Assert.Equal(6, tokenizer.Encode("123 12", false).Count);
    }

    [Fact]
    public void Train_AnyText_ComesBack()
    {
        var tokenizer = Train(300, 2, Corpus);
        const string Text = "\U0001F600 never seen: \u00E9 \u4E2D \t\r\n";
        Assert.Equal(Text, tokenizer.Decode(tokenizer.Encode(Text, false).Ids, false));
    }

    [Theory]
    [InlineData(100, "a", "b", "The vocabulary size is 100, but 2 special tokens and 256 bytes need at least 258.")]
    [InlineData(300, "a", "a", "The special token a is given twice.")]
    [InlineData(300, "a", "", "A special token must not be empty.")]
    public void Constructor_WrongOptions_SaysWhatIsWrong(int size, string one, string other, string expected)
    {
        var error = Assert.Throws<UserErrorException>(() => new BpeTrainer(new BpeTrainerOptions
        {
            VocabSize = size, SpecialTokens = [one, other],
        }));
        Assert.Equal(expected, error.Message);
    }

    private static Tokenizer Train(int vocabSize, long minFrequency, params string[] texts)
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = vocabSize, MinFrequency = minFrequency });
        foreach (var text in texts)
            trainer.Feed(text);
        return trainer.Train(new TokenizerSettings());
    }

    private static List<string> Merges(Tokenizer tokenizer)
    {
        using var folder = new TemporaryFolder();
        tokenizer.Save(folder.Path);
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder.Path, "tokenizer.json")));
        return document.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Select(merge => merge.GetString()!)
            .ToList();
    }
}
