using Handbook.Tokenizers.Normalizers;

namespace Handbook.Tokenizers.Files;

/// <summary>Reads the <c>normalizer</c> section.</summary>
internal static class NormalizerReader
{
    private static readonly Dictionary<string, Func<JsonSection, Normalizer>> Types = new(StringComparer.Ordinal)
    {
        ["Sequence"] = section => new SequenceNormalizer(section.Sections("normalizers").ConvertAll(Read)),
        ["Prepend"] = section => new PrependNormalizer(section.String("prepend")),
        ["Replace"] = section => new ReplaceNormalizer(PatternReader.Read(section), section.String("content")),
        ["NFC"] = _ => new UnicodeNormalizer(compose: true, compatibility: false),
        ["NFD"] = _ => new UnicodeNormalizer(compose: false, compatibility: false),
        ["NFKC"] = _ => new UnicodeNormalizer(compose: true, compatibility: true),
        ["NFKD"] = _ => new UnicodeNormalizer(compose: false, compatibility: true),
        ["Lowercase"] = _ => new LowercaseNormalizer(),
        ["Strip"] = section => new StripNormalizer(section.Bool("strip_left", true), section.Bool("strip_right", true)),
        ["StripAccents"] = _ => new StripAccentsNormalizer(),
        ["Nmt"] = _ => new NmtNormalizer(),
        ["Precompiled"] = ReadPrecompiled,
        ["BertNormalizer"] = ReadBert,
        ["ByteLevel"] = _ => new ByteLevelNormalizer(),
    };

    /// <summary>The normalizer of a section.</summary>
    /// <exception cref="InvalidDataException">Its type is not known, or a setting is wrong.</exception>
    public static Normalizer Read(JsonSection section) => ComponentType.Find(section, Types)(section);

    private static BertNormalizer ReadBert(JsonSection section)
    {
        var lowercase = section.Bool("lowercase", true);
        return new BertNormalizer(section.Bool("clean_text", true), section.Bool("handle_chinese_chars", true),
            section.Bool("strip_accents", lowercase), lowercase);
    }

    private static PrecompiledNormalizer ReadPrecompiled(JsonSection section)
    {
        var text = section.StringOrNull("precompiled_charsmap") ?? "";
        var map = new byte[text.Length];
        return Convert.TryFromBase64String(text, map, out var length) ? new PrecompiledNormalizer(map.AsSpan(0, length))
            : throw new InvalidDataException($"{section.PathOf("precompiled_charsmap")} is not base64");
    }
}

/// <summary>Finds what reads a component by its <c>type</c>.</summary>
internal static class ComponentType
{
    /// <summary>The reader for the section's type.</summary>
    /// <exception cref="InvalidDataException">There is none; the message names the type and the nearest known one.</exception>
    public static Func<JsonSection, T> Find<T>(JsonSection section, IReadOnlyDictionary<string, Func<JsonSection, T>> types)
    {
        var type = section.String("type");
        return types.TryGetValue(type, out var read) ? read : throw new InvalidDataException(
            $"{section.PathOf("type")} is \"{type}\", expected one of "
            + $"{string.Join(", ", types.Keys)}.{NearestName.Hint(type, types.Keys)}");
    }
}
