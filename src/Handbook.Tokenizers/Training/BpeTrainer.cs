using System.Text;
using Handbook.Tokenizers.Files;
using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Training;

/// <summary>
/// Trains a byte-level BPE tokenizer: counts the words of a corpus, then merges the most frequent pair of symbols again and
/// again (Sennrich et al. 2016; Radford et al. 2019 for bytes). The merges are those of Hugging Face's trainer: of pairs
/// equally frequent, the one with the smaller ids goes first. Same texts in any order, same tokenizer.
/// </summary>
public sealed class BpeTrainer
{
    private readonly BpeTrainerOptions _options;
    private readonly WordScanner _scanner;
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _countsBySpan;

    /// <summary>Takes the settings.</summary>
    /// <exception cref="UserErrorException">The vocabulary is too small, or a special token is empty or given twice.</exception>
    public BpeTrainer(BpeTrainerOptions options)
    {
        _options = options;
        _scanner = new Gpt2Scanner(options.SplitDigits);
        _countsBySpan = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
        if (options.SpecialTokens.FirstOrDefault(token => token.Length == 0) is not null)
            throw new UserErrorException("A special token must not be empty.");
        if (options.SpecialTokens.GroupBy(token => token, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UserErrorException($"The special token {twice.Key} is given twice.");
        var least = options.SpecialTokens.Count + 256;
        if (options.VocabSize < least)
            throw new UserErrorException($"The vocabulary size is {options.VocabSize}, but {options.SpecialTokens.Count} special tokens "
                + $"and 256 bytes need at least {least}.");
    }

    /// <summary>Counts the words of a text. A word never reaches over the end of a text.</summary>
    public void Feed(string text)
    {
        var input = LoneSurrogates.Replace(text).AsSpan();
        for (var start = 0; start < input.Length;)
        {
            var end = _scanner.WordEnd(input, start);
            var word = input[start..end];
            _countsBySpan.TryGetValue(word, out var count);
            _countsBySpan[word] = count + 1;
            start = end;
        }
    }

    /// <summary>The tokenizer of everything fed so far; it has fewer tokens than asked for when the corpus runs out of pairs.</summary>
    public Tokenizer Train(TokenizerSettings settings)
    {
        var tokens = new List<string>(_options.SpecialTokens);
        var byteIds = new int[256];
        foreach (var value in Enumerable.Range(0, 256).OrderBy(value => ByteAlphabet.ToChar((byte)value)))
        {
            byteIds[value] = tokens.Count;
            tokens.Add(ByteAlphabet.ToChar((byte)value).ToString());
        }
        var words = new List<CountedWord>(_counts.Count);
        foreach (var (word, count) in _counts.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            words.Add(new CountedWord(Array.ConvertAll(Encoding.UTF8.GetBytes(word), value => byteIds[value]), count));
        var merges = new MergeLearner(words, tokens).Learn(_options.VocabSize, _options.MinFrequency);
        var json = TrainedTokenizer.Write(_options, tokens, merges);
        return new Tokenizer(TokenizerDefinition.Parse(json), settings);
    }
}
