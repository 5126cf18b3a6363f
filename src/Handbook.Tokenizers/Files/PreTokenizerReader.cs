using Handbook.Tokenizers.PreTokenizers;
using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Files;

/// <summary>Reads the <c>pre_tokenizer</c> section.</summary>
internal static class PreTokenizerReader
{
    private static readonly Dictionary<string, SplitBehavior> Behaviors =
        Enum.GetValues<SplitBehavior>().ToDictionary(value => value.ToString(), StringComparer.Ordinal);

    private static readonly Dictionary<string, PrependScheme> Schemes =
        Enum.GetValues<PrependScheme>().ToDictionary(value => value.ToString().ToLowerInvariant(), StringComparer.Ordinal);

    private static readonly Dictionary<string, Func<JsonSection, PreTokenizer>> Types = new(StringComparer.Ordinal)
    {
        ["Sequence"] = section => new SequencePreTokenizer(section.Sections("pretokenizers").ConvertAll(Read)),
        ["ByteLevel"] = section => new ByteLevelPreTokenizer(section.Bool("add_prefix_space", true), section.Bool("use_regex", true)),
        ["Split"] = section => new SplitPreTokenizer(
            PatternReader.Read(section), section.Choice("behavior", Behaviors), section.Bool("invert", false)),
        ["Digits"] = section => new DigitsPreTokenizer(section.Bool("individual_digits", false)),
        ["Metaspace"] = ReadMetaspace,
        ["Whitespace"] = _ => new WhitespacePreTokenizer(),
        ["WhitespaceSplit"] = _ => SplitAt(CharClasses.IsWhiteSpace, SplitBehavior.Removed),
        ["Punctuation"] = section => SplitAt(
            CharClasses.IsPunctuation, section.Choice<SplitBehavior>("behavior", Behaviors, SplitBehavior.Isolated)),
        ["BertPreTokenizer"] = _ => new BertPreTokenizer(),
        ["CharDelimiterSplit"] = section => new SplitPreTokenizer(
            new StringPattern(ReadCharacter(section, "delimiter")), SplitBehavior.Removed, invert: false),
        ["UnicodeScripts"] = _ => new UnicodeScriptsPreTokenizer(),
        ["FixedLength"] = section => section.Int("length", 5) is > 0 and var length ? new FixedLengthPreTokenizer(length)
            : throw new InvalidDataException($"{section.PathOf("length")} is 0, expected at least 1"),
    };

    /// <summary>The pre-tokenizer of a section.</summary>
    /// <exception cref="InvalidDataException">Its type is not known, or a setting is wrong.</exception>
    public static PreTokenizer Read(JsonSection section) => ComponentType.Find(section, Types)(section);

    /// <summary>Where Metaspace prepends: <c>prepend_scheme</c>, or the older <c>add_prefix_space</c>.</summary>
    public static PrependScheme ReadScheme(JsonSection section)
    {
        var scheme = section.Choice<PrependScheme>("prepend_scheme", Schemes, PrependScheme.Always);
        return section.Bool("add_prefix_space", true) ? scheme : PrependScheme.Never;
    }

    /// <summary>Metaspace's mark: one character.</summary>
    public static string ReadMark(JsonSection section) => ReadCharacter(section, "replacement");

    /// <summary>A string of exactly one character.</summary>
    public static string ReadCharacter(JsonSection section, string key)
    {
        var text = section.String(key);
        var isOne = text.Length > 0;
        if (isOne)
        {
            CharClasses.CodePointAt(text, 0, out var length);
            isOne = length == text.Length;
        }
        return isOne ? text : throw new InvalidDataException($"{section.PathOf(key)} is \"{text}\", expected one character");
    }

    private static SplitPreTokenizer SplitAt(Func<int, bool> isMatch, SplitBehavior behavior) =>
        new(new CharacterPattern(isMatch), behavior, invert: false);

    private static MetaspacePreTokenizer ReadMetaspace(JsonSection section) =>
        new(ReadMark(section), ReadScheme(section), section.Bool("split", true));
}
