using System.Globalization;
using Handbook.Chat;
using Handbook.Data.Packing;
using Handbook.Data.Preparation;
using Handbook.Data.Random;
using Handbook.Data.Sources;
using Handbook.Data.Store;
using Handbook.Tokenizers;
using Handbook.Tokenizers.Training;

namespace Handbook.Benchmarks;

/// <summary>
/// Real pairs for a benchmark: a file's pairs through a chat template and a tokenizer, in the micro-batches of a training epoch,
/// and a sample of these.
/// </summary>
/// <param name="Sample">
/// Micro-batches at even steps of all, ordered by what padding costs them (and then in the epoch's order): few stand for the file.
/// </param>
/// <param name="FileTokens">Places of all micro-batches of the epoch, by <see cref="PairVariant"/>.</param>
/// <param name="Padding">Id that padded rows are filled with.</param>
/// <param name="TokenizerName">Where the tokenizer came from.</param>
public sealed record PairBenchmarkData(
    IReadOnlyList<PreferencePair[]> Sample, IReadOnlyList<long> FileTokens, int Padding, string TokenizerName)
{
    /// <summary>Tokens of the tokenizer that is trained on the file itself: as many as give real tokenizers' lengths.</summary>
    private const int TrainedVocabulary = 16384;

    /// <summary>Of a larger file the beginning of an epoch stands for the rest.</summary>
    private const int MostMicroBatches = 2000;
    private const string EndOfText = "<|endoftext|>", TurnStart = "<|im_start|>", TurnEnd = "<|im_end|>";

    /// <summary>Reads and tokenizes.</summary>
    /// <param name="file">Preference data.</param>
    /// <param name="tokenizerFolder">A tokenizer; null trains byte-level BPE on the file's own text.</param>
    /// <param name="vocabulary">Ids that the model has.</param>
    /// <param name="maxLength">Most tokens of a prompt with a completion.</param>
    /// <param name="pairs">Pairs of a micro-batch.</param>
    /// <param name="count">Micro-batches of the sample; a file with fewer gives all it has.</param>
    /// <param name="folder">A folder to work in.</param>
    /// <exception cref="UserErrorException">File or tokenizer is missing or broken, or a token id is beyond the vocabulary.</exception>
    public static PairBenchmarkData Read(
        string file, string? tokenizerFolder, int vocabulary, int maxLength, int pairs, int count, string folder)
    {
        if (!File.Exists(file))
            throw new UserErrorException($"--data: {file}: no such file; a file of preference pairs is expected.");
        var place = tokenizerFolder ?? Train(file, vocabulary, Path.Combine(folder, "tokenizer"));
        var tokenizer = Tokenizer.Load(place);
        if (tokenizer.ChatTemplate is null)
            tokenizer = tokenizer.WithSettings(tokenizer.Settings with { ChatTemplate = ChatTemplate.ChatMl });
        var encoder = new ConversationEncoder(new ConversationTokenizer(tokenizer), TokenizerFingerprint.Of(place), new EncoderOptions
        {
            Kind = StoreKind.Pairs,
            Limits = new AnswerLimits { MaxLength = maxLength },
        });
        var options = new PreparationOptions
        {
            Sources = [new DatasetPart(new DatasetRequest(file, null, "train"), null)],
            Packing = new PackingOptions { MaxLength = maxLength, Strategy = PackingStrategy.None },
            CacheFolder = folder,
        };
        using var store = new DataPreparation(options, encoder).Prepare();
        if (store.Manifest.LargestTokenId >= vocabulary)
        {
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"--tokenizer: {store.Manifest.LargestTokenIdExample}: token id "
                    + $"{store.Manifest.LargestTokenId} has no embedding; the shape has {vocabulary}."));
        }
        var epoch = EpochOrder.Seedable(0, 0, store.Train.RowCount).Take(pairs * MostMicroBatches).Select(store.Train.Pair).Chunk(pairs)
            .ToList();
        if (epoch.Count > 1 && epoch[^1].Length < pairs)
            epoch.RemoveAt(epoch.Count - 1);
        var padding = tokenizer.PadId is { } pad && pad < vocabulary ? pad : 0;
        var all = Enum.GetValues<PairVariant>().Select(variant => epoch.Sum(batch => (long)PlaceCount(batch, variant))).ToList();
        return new PairBenchmarkData(Choose(epoch, count), all, padding,
            tokenizerFolder ?? FormattableString.Invariant($"byte-level BPE of {tokenizer.VocabSize} tokens, trained on the file"));
    }

    /// <summary>Fewer micro-batches that stand for the same file.</summary>
    public PairBenchmarkData Take(int count) => this with { Sample = Choose([.. Sample], count) };

    /// <summary>Places that a micro-batch takes in one way.</summary>
    public static int PlaceCount(IReadOnlyList<PreferencePair> batch, PairVariant variant) => variant switch
    {
        PairVariant.Padded => PaddedPairs.PlaceCount(batch),
        PairVariant.Packed => batch.Sum(pair => pair.TokenCount + pair.Prompt.Length),
        _ => batch.Sum(pair => pair.TokenCount),
    };

    private static List<PreferencePair[]> Choose(List<PreferencePair[]> epoch, int count)
    {
        if (epoch.Count <= count)
            return epoch;
        var byCost = Enumerable.Range(0, epoch.Count)
            .OrderBy(i => (double)PlaceCount(epoch[i], PairVariant.Padded) / PlaceCount(epoch[i], PairVariant.Shared)).ToList();
        return [.. Enumerable.Range(0, count).Select(i => byCost[(int)((i + 0.5) * epoch.Count / count)]).Order().Select(i => epoch[i])];
    }

    private static string Train(string file, int vocabulary, string folder)
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions
        {
            VocabSize = Math.Min(vocabulary, TrainedVocabulary),
            SpecialTokens = [EndOfText, TurnStart, TurnEnd],
        });
        foreach (var line in OrdinaryFile.ReadLines(file, OrdinaryFile.TextLimit))
            trainer.Feed(line);
        var tokenizer = trainer.Train(new TokenizerSettings
        {
            EosToken = EndOfText, PadToken = EndOfText, ChatTemplate = ChatTemplate.ChatMl,
        });
        Directory.CreateDirectory(folder);
        tokenizer.Save(folder);
        return folder;
    }
}
