using Handbook.Tokenizers;
using Handbook.Tokenizers.Training;

namespace Handbook.TestSupport;

/// <summary>
/// Text made up by rule, for tests that need much of it: pseudo-words of two or three syllables, the frequent ones far more
/// frequent than the rare, in sentences; a word's follower depends on it, so that a model has something to learn. The same on every
/// machine.
/// </summary>
public static class MadeText
{
    private static readonly string[] Words = [.. Enumerable.Range(0, 1500).Select(Word).Distinct()];

    /// <summary>So many sentences, another text for another seed.</summary>
    public static IEnumerable<string> Sentences(int count, int seed = 1)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var words = new string[random.Next(6, 18)];
            var at = Rank(random);
            for (var j = 0; j < words.Length; j++)
            {
                words[j] = Words[at];
                at = random.Next(4) == 0 ? Rank(random) : (at * 7 + random.Next(3)) % 60;
            }
            yield return char.ToUpperInvariant(words[0][0]) + string.Join(' ', words)[1..] + ".";
        }
    }

    /// <summary>A byte-level tokenizer trained on such text, whose words are mostly one token each.</summary>
    public static Tokenizer Tokenizer(int vocabSize, string endToken, string? chatTemplate = null, params string[] specialTokens)
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = vocabSize, SpecialTokens = [endToken, .. specialTokens] });
        foreach (var sentence in Sentences(4000))
            trainer.Feed(sentence);
        return trainer.Train(new TokenizerSettings { EosToken = endToken, ChatTemplate = chatTemplate });
    }

    // Squaring a uniform number thrice leaves most of the weight on the first words.
    private static int Rank(Random random) => (int)(Math.Pow(random.NextDouble(), 8) * Words.Length);

    private static string Word(int index)
    {
        const string Onsets = "bdfgklmnprstvz", Vowels = "aeiou", Codas = "nrsl";
        var (text, rest) = ("", index * 2654435761L % 1000003);
        for (var syllables = 2 + index % 2; syllables > 0; syllables--)
        {
            text += $"{Onsets[(int)(rest % 14)]}{Vowels[(int)(rest / 14 % 5)]}";
            rest = rest / 70 + index;
        }
        return index % 3 == 0 ? text + Codas[index % 4] : text;
    }
}
