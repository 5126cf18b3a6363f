using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Tokenizers.Files;

/// <summary>
/// What the files beside tokenizer.json change of it when transformers reads a folder: added tokens, and BOS and EOS around a text.
/// </summary>
internal static class ConfiguredTokenizer
{
    private const string AddBos = "add_bos_token";
    private const string AddEos = "add_eos_token";

    /// <summary>Classes of transformers 4 that put BOS before a text unless they are told not to, whatever tokenizer.json says.</summary>
    private static readonly string[] AddingBos = ["LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer"];

    /// <summary>The tokenizer as the folder's configuration wants it.</summary>
    /// <exception cref="InvalidDataException">A key is of another type than it should be.</exception>
    public static TokenizerDefinition Of(TokenizerDefinition definition, TokenizerSettings settings) =>
        WithFrame(WithMissingTokens(definition, settings), settings);

    /// <summary>
    /// With the tokens of <c>added_tokens_decoder</c>, and the special ones that have a name, that the tokenizer does not have.
    /// </summary>
    private static TokenizerDefinition WithMissingTokens(TokenizerDefinition definition, TokenizerSettings settings)
    {
        var known = definition.AddedTokens.Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
        var missing = settings.ConfiguredTokens
            .Concat(settings.SpecialTokens.Where(token => definition.Model.Vocabulary.Find(token.Content) < 0))
            .Where(token => token.Content.Length > 0 && known.Add(token.Content)).ToList();
        if (missing.Count == 0)
            return definition;
        var tokens = definition.AddedTokens.Concat(missing).ToList();
        var added = new AddedVocabulary(tokens, definition.Model.Vocabulary, null);
        return definition with { AddedTokens = tokens, Json = TokenizerWriter.WithAddedTokens(definition.Json, added.Tokens) };
    }

    /// <summary>
    /// With the post-processor that <c>add_bos_token</c> and <c>add_eos_token</c> ask for: transformers 5 builds it anew where one of
    /// the keys is there, and the Llama classes of transformers 4 always.
    /// </summary>
    private static TokenizerDefinition WithFrame(TokenizerDefinition definition, TokenizerSettings settings)
    {
        var keys = settings.Other;
        var addsBos = AddingBos.Contains((keys["tokenizer_class"] as JsonValue)?.ToString().Replace("Fast", "", StringComparison.Ordinal));
        if (!addsBos && !keys.ContainsKey(AddBos) && !keys.ContainsKey(AddEos))
            return definition;
        var ids = new AddedVocabulary(definition.AddedTokens, definition.Model.Vocabulary, null);
        var before = Token(AddBos, addsBos, settings.BosToken);
        var after = Token(AddEos, false, settings.EosToken);
        if ((definition.PostProcessor?.Added ?? ([], [])) is var (first, last) && first.SequenceEqual(Ids(before))
            && last.SequenceEqual(Ids(after)))
            return definition;
        var written = JsonNode.Parse(definition.Json)!["post_processor"];
        var section = PostProcessorWriter.Frame(written, before, after).ToJsonString();
        using var document = JsonDocument.Parse(section);
        return definition with
        {
            PostProcessor = PostProcessorReader.Read(new JsonSection(document.RootElement, "post_processor")),
            Json = TokenizerWriter.WithSection(definition.Json, "post_processor", document.RootElement),
        };

        (string, int)? Token(string key, bool absent, string? token) =>
            Flag(keys, key, absent) && token is not null && IdOf(token) is >= 0 and var id ? (token, id) : null;

        int IdOf(string token) => ids.Find(token) is >= 0 and var added ? added : definition.Model.Vocabulary.Find(token);
    }

    private static IEnumerable<int> Ids((string, int Id)? token) => token is { } given ? [given.Id] : [];

    private static bool Flag(JsonObject keys, string key, bool absent) => !keys.TryGetPropertyValue(key, out var value) ? absent
        : value?.GetValueKind() switch
        {
            null => false,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new InvalidDataException($"{TokenizerFolder.ConfigFile}: {key} is {value.ToJsonString()}, expected true or false"),
        };
}
