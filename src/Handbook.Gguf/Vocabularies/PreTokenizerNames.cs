using System.Text.Json;

namespace Handbook.Gguf.Vocabularies;

/// <summary>
/// llama.cpp has patterns that split text under names of models (<c>tokenizer.ggml.pre</c>). A name is chosen by the pattern that the
/// tokenizer really has, never by the model's name.
/// </summary>
internal static class PreTokenizerNames
{
    private const string Contractions = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string SpelledContractions = @"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string WordsBefore = @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}";
    private const string RestAfter = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Capitals = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]";
    private const string Small = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string Front = @"[^\r\n\p{L}\p{N}]?";
    private const string PathsAfter = @"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The name for a byte-level tokenizer.</summary>
    /// <exception cref="UserErrorException">llama.cpp has no such pattern.</exception>
    public static string Find(TokenizerFile file)
    {
        var steps = file.PreTokenizers;
        if (steps.Count == 0 || TokenizerFile.TypeOf(steps[^1]) != "ByteLevel")
            throw file.Refused("its pre-tokenizer does not end with ByteLevel");
        var splits = TokenizerFile.Flag(steps[^1], "use_regex", true);
        return steps.Count switch
        {
            1 when splits => "gpt-2",
            2 when splits && IsSingleDigits(steps[0]) => "smollm",
            2 when TokenizerFile.TypeOf(steps[0]) == "Split" => OfSplit(file, steps[0], splits),
            _ => throw file.Refused(
                $"its pre-tokenizer ({string.Join(", ", steps.Select(TokenizerFile.TypeOf))}) has no name in llama.cpp"),
        };
    }

    private static bool IsSingleDigits(JsonElement step) =>
        TokenizerFile.TypeOf(step) == "Digits" && TokenizerFile.Flag(step, "individual_digits", false);

    private static string OfSplit(TokenizerFile file, JsonElement split, bool splitsAgain)
    {
        var pattern = TokenizerFile.Pattern(split).Regex;
        // Every character is part of a match of these patterns, so that both spellings mean the same.
        var isWhole = (TokenizerFile.Text(split, "behavior"), TokenizerFile.Flag(split, "invert", false))
            is ("Isolated", false) or ("Removed", true);
        var ignoresMerges = TokenizerFile.Flag(file.Model, "ignore_merges", false);
        return pattern switch
        {
            _ when !isWhole || splitsAgain => throw file.Refused("its pre-tokenizer splits in a way that llama.cpp does not"),
            Contractions + WordsBefore + "{1,3}" + RestAfter or SpelledContractions + WordsBefore + "{1,3}" + RestAfter =>
                // The same pattern under both names; the first takes whole words from the vocabulary before it merges.
                ignoresMerges ? "llama-bpe" : "dbrx",
            Contractions + WordsBefore + RestAfter or SpelledContractions + WordsBefore + RestAfter => "qwen2",
            Gpt2 => "gpt-2",
            Front + Capitals + "*" + Small + "+" + Contractions + "?|" + Front + Capitals + "+" + Small + "*" + Contractions
                + @"?|\p{N}{1,3}" + PathsAfter => "gpt-4o",
            Front + Capitals + "*" + Small + "+|" + Front + Capitals + "+" + Small + @"*|\p{N}" + PathsAfter => "tekken",
            _ => throw file.Refused($"its split pattern {pattern} has no name in llama.cpp"),
        };
    }

    /// <summary>Whether llama.cpp takes whole words from the vocabulary before it merges, under a name.</summary>
    public static bool IgnoresMerges(string name) => name is "llama-bpe" or "tekken";
}
