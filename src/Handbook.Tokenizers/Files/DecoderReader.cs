using Handbook.Tokenizers.Decoders;
using Handbook.Tokenizers.PreTokenizers;

namespace Handbook.Tokenizers.Files;

/// <summary>Reads the <c>decoder</c> section.</summary>
internal static class DecoderReader
{
    private static readonly Dictionary<string, Func<JsonSection, TokenDecoder>> Types = new(StringComparer.Ordinal)
    {
        ["Sequence"] = section => new SequenceDecoder(section.Sections("decoders").ConvertAll(Read)),
        ["ByteLevel"] = _ => new ByteLevelDecoder(),
        ["ByteFallback"] = _ => new ByteFallbackDecoder(),
        ["Fuse"] = _ => new FuseDecoder(),
        ["Strip"] = section => new StripDecoder(
            PreTokenizerReader.ReadCharacter(section, "content"), section.Int("start"), section.Int("stop")),
        ["Replace"] = section => new ReplaceDecoder(PatternReader.Read(section), section.String("content")),
        ["Metaspace"] = section => new MetaspaceDecoder(
            PreTokenizerReader.ReadMark(section), PreTokenizerReader.ReadScheme(section) != PrependScheme.Never),
        ["WordPiece"] = section => new WordPieceDecoder(section.String("prefix"), section.Bool("cleanup", true)),
        ["BPEDecoder"] = section => new EndOfWordDecoder(section.String("suffix")),
        ["CTC"] = section => new CtcDecoder(
            section.String("pad_token"), section.String("word_delimiter_token"), section.Bool("cleanup", true)),
    };

    /// <summary>The decoder of a section.</summary>
    /// <exception cref="InvalidDataException">Its type is not known, or a setting is wrong.</exception>
    public static TokenDecoder Read(JsonSection section) => ComponentType.Find(section, Types)(section);
}
