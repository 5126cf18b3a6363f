using System.Text.Json.Nodes;
using Handbook.Templates;
using Handbook.Tokenizers;

namespace Handbook.Chat;

/// <summary>
/// The chat templates of a tokenizer. One that is given is used for every conversation; of a tokenizer's named ones <c>tool_use</c>
/// writes conversations with tools and <c>default</c> the others, as transformers chooses.
/// </summary>
public sealed class ChatTemplates
{
    private const string ToolUse = "tool_use";

    private readonly ChatTemplate? _default;
    private readonly ChatTemplate? _withTools;
    private readonly IReadOnlyList<string> _names;

    /// <summary>Reads the templates that may be used.</summary>
    /// <param name="settings">The tokenizer's.</param>
    /// <param name="given">
    /// The recipe's template or the name of one of the tokenizer's; null for the tokenizer's own, ChatML where it has none.
    /// </param>
    /// <exception cref="UserErrorException">A template has a fault.</exception>
    public ChatTemplates(TokenizerSettings settings, string? given)
    {
        var tokens = SpecialTokens(settings).ToList();
        var named = given is null ? settings.NamedChatTemplates : new Dictionary<string, string>(StringComparer.Ordinal);
        _names = [.. named.Keys.Order(StringComparer.Ordinal)];
        var text = given is not null ? TextOf(settings, given) : settings.ChatTemplate ?? (named.Count == 0 ? ChatTemplate.ChatMl : null);
        _default = text is null ? null : Read(text, tokens, given is null ? "the tokenizer's chat_template" : "chat_template");
        _withTools = named.TryGetValue(ToolUse, out var forTools)
            ? Read(forTools, tokens, $"the tokenizer's chat_template {ToolUse}") : null;
    }

    /// <summary>Every template that may be used.</summary>
    public IEnumerable<ChatTemplate> All => new[] { _default, _withTools }.OfType<ChatTemplate>();

    /// <summary>The template of a conversation.</summary>
    /// <param name="tools">Its tools; null for none. An empty list is a list, as in transformers.</param>
    /// <exception cref="UserErrorException">None of the tokenizer's named templates is for it.</exception>
    public ChatTemplate For(JsonArray? tools) => (tools is null ? null : _withTools) ?? _default ?? throw new UserErrorException(
        $"the tokenizer has several chat templates ({string.Join(", ", _names)}) and none called "
        + "default; set chat_template to one of these names or to a template.");

    /// <summary>The text behind a recipe's <c>chat_template</c>: one of the tokenizer's named templates, or itself.</summary>
    /// <exception cref="UserErrorException">
    /// It is neither: nothing in it could write a message. An empty text is for pretraining, which renders nothing.
    /// </exception>
    public static string TextOf(TokenizerSettings settings, string given)
    {
        if (settings.NamedChatTemplates.TryGetValue(given, out var text))
            return text;
        if (given == "default" && settings.ChatTemplate is { } own)
            return own;
        var names = settings.NamedChatTemplates.Keys.Order(StringComparer.Ordinal).ToList();
        return given.Length == 0 || given.Contains('{', StringComparison.Ordinal) ? given : throw new UserErrorException(
            $"chat_template: \"{given}\" is no template, since nothing in it writes a message, and the tokenizer has "
            + $"{(names.Count == 0 ? "no templates by name" : $"none of that name, only {string.Join(", ", names)}")}"
            + $".{NearestName.Hint(given, names)}");
    }

    private static ChatTemplate Read(string text, IEnumerable<KeyValuePair<string, string>> tokens, string origin)
    {
        try
        {
            return new ChatTemplate(text, tokens);
        }
        catch (TemplateException fault)
        {
            throw new UserErrorException($"{origin}: {fault.Message}", fault);
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> SpecialTokens(TokenizerSettings settings)
    {
        foreach (var (name, token) in new (string, string?)[]
        {
            ("bos_token", settings.BosToken), ("eos_token", settings.EosToken), ("pad_token", settings.PadToken),
            ("unk_token", settings.UnkToken),
        })
        {
            if (token is not null)
                yield return new(name, token);
        }
        foreach (var name in (string[])["sep_token", "cls_token", "mask_token"])
        {
            if (TextOf(settings.Other[name]) is { } token)
                yield return new(name, token);
        }
        foreach (var (name, node) in settings.Other["extra_special_tokens"] as JsonObject ?? [])
        {
            if (TextOf(node) is { } token)
                yield return new(name, token);
        }
    }

    private static string? TextOf(JsonNode? token) =>
        ((token as JsonObject)?["content"] ?? token) is JsonValue text && text.TryGetValue<string>(out var content) ? content : null;
}
