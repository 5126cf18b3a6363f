using Handbook.Chat;
using Handbook.Tokenizers;
using Handbook.Tokenizers.Training;

namespace Handbook.Quickstart;

/// <summary>Trains the quickstart's tokenizer on the quickstart's own training text.</summary>
public static class QuickstartTokenizer
{
    private const string EndOfText = "<|endoftext|>", TurnStart = "<|im_start|>", TurnEnd = "<|im_end|>";

    /// <summary>Tokens in all; nearly every word of the small world becomes a token of its own.</summary>
    public const int VocabularySize = 1024;

    /// <summary>Trains and saves it, with the ChatML template that fine-tuning and chat use.</summary>
    /// <param name="folder">Where the tokenizer is written.</param>
    /// <param name="texts">Training texts; held-out ones stay out.</param>
    public static Tokenizer Train(string folder, IEnumerable<string> texts)
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = VocabularySize, SpecialTokens = [EndOfText, TurnStart, TurnEnd] });
        foreach (var text in texts)
            trainer.Feed(text);
        var tokenizer = trainer.Train(new TokenizerSettings
        {
            EosToken = EndOfText,
            PadToken = EndOfText,
            ChatTemplate = ChatTemplate.ChatMl,
        });
        Directory.CreateDirectory(folder);
        tokenizer.Save(folder);
        return tokenizer;
    }
}
