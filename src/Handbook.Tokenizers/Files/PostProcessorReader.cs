using System.Text.Json;
using Handbook.Tokenizers.PostProcessors;

namespace Handbook.Tokenizers.Files;

/// <summary>Reads the <c>post_processor</c> section.</summary>
internal static class PostProcessorReader
{
    private static readonly Dictionary<string, Func<JsonSection, PostProcessor>> Types = new(StringComparer.Ordinal)
    {
        ["Sequence"] = section => new SequencePostProcessor(section.Sections("processors").ConvertAll(Read)),
        ["ByteLevel"] = section => section.Bool("trim_offsets", true)
            ? new TrimOffsetsPostProcessor(section.Bool("add_prefix_space", true))
            : new SequencePostProcessor([]),
        ["TemplateProcessing"] = ReadTemplate,
        ["BertProcessing"] = ReadBert,
        ["RobertaProcessing"] = section => section.Bool("trim_offsets", true)
            ? new SequencePostProcessor([new TrimOffsetsPostProcessor(section.Bool("add_prefix_space", true)), ReadBert(section)])
            : ReadBert(section),
    };

    /// <summary>The post-processor of a section.</summary>
    /// <exception cref="InvalidDataException">Its type is not known, or a setting is wrong.</exception>
    public static PostProcessor Read(JsonSection section) => ComponentType.Find(section, Types)(section);

    private static TemplatePostProcessor ReadBert(JsonSection section) => new([ReadPair(section, "cls")], [ReadPair(section, "sep")]);

    private static int ReadPair(JsonSection section, string key)
    {
        var pair = section.List(key).ToList();
        return pair.Count == 2 ? JsonSection.Number(pair[1], section.PathOf(key) + "[1]")
            : throw new InvalidDataException($"{section.PathOf(key)} has {pair.Count} entries, expected a token and its id");
    }

    private static TemplatePostProcessor ReadTemplate(JsonSection section)
    {
        var special = section.Section("special_tokens");
        var (before, after) = (new List<int>(), new List<int>());
        var seenSequence = false;
        foreach (var piece in section.Sections("single"))
        {
            if (piece.Section("SpecialToken") is { } token)
            {
                (seenSequence ? after : before).AddRange(ReadIds(special, token.String("id"), token.PathOf("id")));
                continue;
            }
            var sequence = piece.Section("Sequence")
                ?? throw new InvalidDataException($"{piece.Path} is neither SpecialToken nor Sequence");
            if (seenSequence || sequence.String("id") != "A")
                throw new InvalidDataException($"{sequence.PathOf("id")}: the template for one text must hold sequence A once");
            seenSequence = true;
        }
        return seenSequence ? new TemplatePostProcessor([.. before], [.. after])
            : throw new InvalidDataException($"{section.PathOf("single")} has no Sequence");
    }

    private static List<int> ReadIds(JsonSection? special, string name, string path)
    {
        if (special?.Section(name) is not { } entry)
            throw new InvalidDataException($"{path}: \"{name}\" is not in special_tokens");
        return entry.List("ids").Select((id, i) => JsonSection.Number(id, $"{entry.PathOf("ids")}[{i}]")).ToList();
    }
}
