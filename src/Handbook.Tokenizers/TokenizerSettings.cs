using System.Text.Json.Nodes;

namespace Handbook.Tokenizers;

/// <summary>
/// What stands around a tokenizer: <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and the chat templates.
/// </summary>
public sealed record TokenizerSettings
{
    /// <summary>Begins a text; null when the tokenizer has none.</summary>
    public string? BosToken { get; init; }

    /// <summary>Ends a text.</summary>
    public string? EosToken { get; init; }

    /// <summary>Fills a batch up.</summary>
    public string? PadToken { get; init; }

    /// <summary>Stands for what is not in the vocabulary.</summary>
    public string? UnkToken { get; init; }

    /// <summary>Longest sequence the model was made for, in tokens; null when the file names none or a number beyond use.</summary>
    public int? ModelMaxLength { get; init; }

    /// <summary>The default chat template (Jinja); null when there is none.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Further chat templates by name, such as <c>tool_use</c> or <c>rag</c>; without the default.</summary>
    public IReadOnlyDictionary<string, string> NamedChatTemplates { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether there is any chat template.</summary>
    public bool HasChatTemplate => ChatTemplate is not null || NamedChatTemplates.Count > 0;

    /// <summary>
    /// Tokens of <c>added_tokens_decoder</c>, by id ascending: a tokenizer that lacks one gets it when the folder is read.
    /// </summary>
    public IReadOnlyList<AddedToken> ConfiguredTokens { get; init; } = [];

    /// <summary>
    /// Every special token that has a name (<c>bos_token</c> and its kin) or stands in <c>additional_special_tokens</c> or
    /// <c>extra_special_tokens</c>, in transformers' order: a tokenizer that lacks one gets it when the folder is read.
    /// </summary>
    public IReadOnlyList<AddedToken> SpecialTokens { get; init; } = [];

    /// <summary>Every other key of <c>tokenizer_config.json</c>, kept as it was.</summary>
    public JsonObject Other { get; init; } = [];

    /// <summary>Every other key of <c>special_tokens_map.json</c>, kept as it was; null when there is no such file.</summary>
    public JsonObject? OtherSpecialTokens { get; init; }
}
