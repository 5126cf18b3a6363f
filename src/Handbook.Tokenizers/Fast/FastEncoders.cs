using Handbook.Tokenizers.Files;
using Handbook.Tokenizers.Models;
using Handbook.Tokenizers.Normalizers;
using Handbook.Tokenizers.PreTokenizers;
using Handbook.Tokenizers.Scanning;

namespace Handbook.Tokenizers.Fast;

/// <summary>Decides whether a tokenizer is of a kind that has a fast encoder.</summary>
internal static class FastEncoders
{
    /// <summary>The fast encoder for a tokenizer, or null.</summary>
    public static FastEncoder? Find(TokenizerDefinition definition, AddedVocabulary added)
    {
        if (definition.Model is not BytePairModel { Options: { ContinuingPrefix: "", EndOfWordSuffix: "" } } model)
            return null;
        var steps = Flatten(definition.PreTokenizer);
        if (FindScanner(steps) is { } scanner)
            return new ByteLevelEncoder(model, scanner, definition.Normalizer, added.NormalizedMatcher);
        return FindMetaspace(definition, steps, model, added);
    }

    private static List<PreTokenizer> Flatten(PreTokenizer? preTokenizer) => preTokenizer switch
    {
        null => [],
        SequencePreTokenizer sequence => sequence.Steps.SelectMany(Flatten).ToList(),
        _ => [preTokenizer],
    };

    private static List<Normalizer> Flatten(Normalizer? normalizer) => normalizer switch
    {
        null => [],
        SequenceNormalizer sequence => sequence.Steps.SelectMany(Flatten).ToList(),
        _ => [normalizer],
    };

    /// <summary>The one scanner that does the work of byte-level pre-tokenizers, or null.</summary>
    private static WordScanner? FindScanner(List<PreTokenizer> steps) => steps switch
    {
        [ByteLevelPreTokenizer { AddPrefixSpace: false, UseRegex: true }] => new Gpt2Scanner(isolateDigits: false),
        [DigitsPreTokenizer { IndividualDigits: true }, ByteLevelPreTokenizer { AddPrefixSpace: false, UseRegex: true }] =>
            new Gpt2Scanner(isolateDigits: true),
        [SplitPreTokenizer { Pattern: ScannerPattern pattern } split, ByteLevelPreTokenizer { AddPrefixSpace: false, UseRegex: false }]
            when KeepsEveryMatch(split) => pattern.Scanner,
        _ => null,
    };

    /// <summary>A scanner's matches cover the text, so these two settings both give one piece a match.</summary>
    private static bool KeepsEveryMatch(SplitPreTokenizer split) =>
        split is { Behavior: SplitBehavior.Isolated } or { Behavior: SplitBehavior.Removed, Invert: true };

    private static MetaspaceEncoder? FindMetaspace(
        TokenizerDefinition definition, List<PreTokenizer> steps, BytePairModel model, AddedVocabulary added)
    {
        if (model.Options.IgnoreMerges || model.DropsUnknown)
            return null;
        var rule = (Flatten(definition.Normalizer), steps) switch
        {
            ([PrependNormalizer prepend, ReplaceNormalizer replace], []) when ReplacedSpace(replace) is { } mark
                && prepend.Prefix == mark =>
                new MarkRule(mark[0], MarkInFront.Always, ByNormalizer: true, CutsEverywhere: false),
            ([ReplaceNormalizer replace], [] or [SplitPreTokenizer { Pattern: StringPattern { Value: " " } }])
                when ReplacedSpace(replace) is { } mark =>
                new MarkRule(mark[0], MarkInFront.Never, ByNormalizer: true, CutsEverywhere: false),
            ([], [MetaspacePreTokenizer { Mark.Length: 1 } metaspace]) =>
                new MarkRule(metaspace.Mark[0], FrontOf(metaspace.Scheme), ByNormalizer: false, metaspace.SplitsAtMarks),
            _ => null,
        };
        return rule is null || rule.Mark == ' ' || model.Vocabulary.Find([rule.Mark]) < 0
            ? null : new MetaspaceEncoder(model, rule, added.NormalizedMatcher);
    }

    private static string? ReplacedSpace(ReplaceNormalizer replace) =>
        replace is { Pattern: StringPattern { Value: " " }, Content.Length: 1 } ? replace.Content : null;

    private static MarkInFront FrontOf(PrependScheme scheme) => scheme switch
    {
        PrependScheme.Always => MarkInFront.UnlessMarked,
        PrependScheme.First => MarkInFront.FirstUnlessMarked,
        _ => MarkInFront.Never,
    };
}
