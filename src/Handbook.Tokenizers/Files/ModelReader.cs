using System.Text.Json;
using Handbook.Tokenizers.Models;

namespace Handbook.Tokenizers.Files;

/// <summary>Reads the <c>model</c> section.</summary>
internal static class ModelReader
{
    private static readonly Dictionary<string, Func<JsonSection, TokenModel>> Types = new(StringComparer.Ordinal)
    {
        ["BPE"] = ReadBytePair,
        ["Unigram"] = ReadUnigram,
        ["WordPiece"] = section => new WordPieceModel(ReadVocabulary(section), section.StringOrNull("unk_token") ?? "[UNK]",
            section.StringOrNull("continuing_subword_prefix") ?? "##", section.Int("max_input_chars_per_word", 100)),
        ["WordLevel"] = section => new WordLevelModel(ReadVocabulary(section), section.StringOrNull("unk_token") ?? "<unk>"),
    };

    /// <summary>The model of a section; one without a type is recognised by its keys, as old files need.</summary>
    /// <exception cref="InvalidDataException">Its type is not known, or a setting is wrong.</exception>
    public static TokenModel Read(JsonSection section) =>
        section.Find("type") is null && section.Find("merges") is not null
            ? ReadBytePair(section) : ComponentType.Find(section, Types)(section);

    private static BytePairModel ReadBytePair(JsonSection section)
    {
        if (section.Find("dropout") is { } dropout && (dropout.ValueKind != JsonValueKind.Number || dropout.GetDouble() != 0))
            throw new InvalidDataException(
                $"{section.PathOf("dropout")} is {JsonSection.Describe(dropout)}: random merges are not supported, set it to null");
        var options = new BytePairOptions
        {
            UnknownToken = section.StringOrNull("unk_token"),
            ContinuingPrefix = section.StringOrNull("continuing_subword_prefix") ?? "",
            EndOfWordSuffix = section.StringOrNull("end_of_word_suffix") ?? "",
            FuseUnknown = section.Bool("fuse_unk", false),
            ByteFallback = section.Bool("byte_fallback", false),
            IgnoreMerges = section.Bool("ignore_merges", false),
        };
        return new BytePairModel(ReadVocabulary(section), ReadMerges(section), options);
    }

    private static UnigramModel ReadUnigram(JsonSection section)
    {
        var pieces = new List<(string, double)>();
        foreach (var piece in section.List("vocab"))
        {
            var path = $"{section.PathOf("vocab")}[{pieces.Count}]";
            if (piece.ValueKind != JsonValueKind.Array || piece.GetArrayLength() != 2 || piece[1].ValueKind != JsonValueKind.Number)
                throw new InvalidDataException($"{path} is {JsonSection.Describe(piece)}, expected a token and its score");
            pieces.Add((JsonSection.Text(piece[0], path), piece[1].GetDouble()));
        }
        var unknown = section.Find("unk_id") is null ? -1 : section.Int("unk_id");
        return unknown < pieces.Count ? new UnigramModel(pieces, unknown, section.Bool("byte_fallback", false))
            : throw new InvalidDataException($"{section.PathOf("unk_id")} is {unknown}, but there are {pieces.Count} tokens");
    }

    /// <summary>The map <c>vocab</c> from token to id.</summary>
    public static Vocabulary ReadVocabulary(JsonSection section)
    {
        var vocabulary = section.Section("vocab") ?? throw new InvalidDataException($"{section.PathOf("vocab")} is missing");
        return ReadVocabulary(vocabulary.Element, vocabulary.Path);
    }

    /// <summary>A map from token to id.</summary>
    public static Vocabulary ReadVocabulary(JsonElement map, string path)
    {
        var entries = new List<KeyValuePair<string, int>>();
        foreach (var entry in map.EnumerateObject())
            entries.Add(new(NameOf(entry, path), JsonSection.Number(entry.Value, path)));
        return new Vocabulary(entries);
    }

    private static string NameOf(JsonProperty entry, string path)
    {
        try
        {
            return entry.Name;
        }
        catch (InvalidOperationException)
        {
            throw new InvalidDataException($"{path} has a token that is not valid Unicode (half a surrogate pair)");
        }
    }

    private static List<(string, string)> ReadMerges(JsonSection section)
    {
        var merges = new List<(string, string)>();
        foreach (var merge in section.List("merges"))
        {
            var path = $"{section.PathOf("merges")}[{merges.Count}]";
            if (merge.ValueKind == JsonValueKind.Array)
            {
                if (merge.GetArrayLength() != 2)
                    throw new InvalidDataException($"{path} has {merge.GetArrayLength()} entries, expected 2");
                merges.Add((JsonSection.Text(merge[0], path), JsonSection.Text(merge[1], path)));
                continue;
            }
            merges.Add(SplitMerge(JsonSection.Text(merge, path), path));
        }
        return merges;
    }

    /// <summary>The two halves of "left right".</summary>
    public static (string Left, string Right) SplitMerge(string line, string path)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && space < line.Length - 1 && line.IndexOf(' ', space + 1) < 0
            ? (line[..space], line[(space + 1)..])
            : throw new InvalidDataException($"{path} is \"{line}\", expected two tokens with one space between them");
    }
}
