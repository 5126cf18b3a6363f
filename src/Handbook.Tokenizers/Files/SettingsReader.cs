using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Tokenizers.Files;

/// <summary>Reads <see cref="TokenizerSettings"/> from a folder.</summary>
internal static class SettingsReader
{
    private const string DefaultTemplate = "default";

    /// <summary>Keys of tokenizer_config.json that have a property of their own.</summary>
    private static readonly string[] OwnKeys =
    [
        "bos_token", "eos_token", "pad_token", "unk_token", "chat_template", "added_tokens_decoder",
    ];

    /// <summary>Reads what there is; none of the files is required.</summary>
    /// <exception cref="UserErrorException">A file is wrong.</exception>
    public static TokenizerSettings Read(string folder)
    {
        var configPath = Path.Combine(folder, TokenizerFolder.ConfigFile);
        var specialPath = Path.Combine(folder, TokenizerFolder.SpecialTokensFile);
        var config = ReadObject(configPath);
        var special = ReadObject(specialPath);
        var templates = TokenizerFolder.Guard(configPath, () => ReadTemplates(config));
        ReadTemplateFiles(folder, templates);
        templates.Remove(DefaultTemplate, out var chatTemplate);
        var tokens = new SpecialTokensReader(folder, config, special);
        var maxLength = ReadMaxLength(config);
        return new TokenizerSettings
        {
            BosToken = tokens.Text("bos_token"),
            EosToken = tokens.Text("eos_token"),
            PadToken = tokens.Text("pad_token"),
            UnkToken = tokens.Text("unk_token"),
            ModelMaxLength = maxLength,
            ChatTemplate = chatTemplate,
            NamedChatTemplates = templates,
            ConfiguredTokens = TokenizerFolder.Guard(configPath, () => ReadConfiguredTokens(config)),
            SpecialTokens = tokens.All(),
            // transformers writes 1e30 for "no limit"; such a number is kept as it is.
            Other = Without(config, maxLength is null ? OwnKeys : [.. OwnKeys, "model_max_length"]) ?? [],
            OtherSpecialTokens = Without(special, OwnKeys),
        };
    }

    private static JsonObject? ReadObject(string path) => !File.Exists(path) ? null : TokenizerFolder.Guard(path, () =>
    {
        var node = JsonNode.Parse(TokenizerFolder.ReadBytes(path), null, new JsonDocumentOptions { MaxDepth = 64 });
        return node as JsonObject ?? throw new InvalidDataException("is not a JSON object");
    });

    private static List<AddedToken> ReadConfiguredTokens(JsonObject? config)
    {
        if (config?["added_tokens_decoder"] is not { } node)
            return [];
        using var document = JsonDocument.Parse(node.ToJsonString());
        var tokens = new JsonSection(document.RootElement, "added_tokens_decoder");
        var list = new List<(int Id, AddedToken Token)>();
        foreach (var entry in tokens.Element.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                throw new InvalidDataException($"added_tokens_decoder has the key \"{entry.Name}\", expected a token id");
            list.Add((id, TokenizerDefinition.ReadAddedToken(new JsonSection(entry.Value, tokens.PathOf(entry.Name)))));
        }
        return list.OrderBy(entry => entry.Id).Select(entry => entry.Token).ToList();
    }

    private static int? ReadMaxLength(JsonObject? config) =>
        config?["model_max_length"] is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            && value.TryGetValue(out double length) && length is > 0 and <= int.MaxValue ? (int)length : null;

    /// <summary>The <c>chat_template</c> key: one template, or a list of named ones.</summary>
    private static Dictionary<string, string> ReadTemplates(JsonObject? config)
    {
        var templates = new Dictionary<string, string>(StringComparer.Ordinal);
        switch (config?["chat_template"])
        {
            case null:
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                templates[DefaultTemplate] = value.GetValue<string>();
                break;
            case JsonArray list:
                foreach (var node in list)
                {
                    if (node is not JsonObject entry || Text(entry, "name") is not { } name || Text(entry, "template") is not { } text)
                        throw new InvalidDataException("chat_template has an entry without name and template");
                    templates[name] = text;
                }
                break;
            default:
                throw new InvalidDataException("chat_template is neither a string nor a list of named templates");
        }
        return templates;
    }

    private static string? Text(JsonObject entry, string key) =>
        entry[key] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    /// <summary>Template files, which come before the key.</summary>
    private static void ReadTemplateFiles(string folder, Dictionary<string, string> templates)
    {
        var single = Path.Combine(folder, TokenizerFolder.ChatTemplateFile);
        if (File.Exists(single))
            templates[DefaultTemplate] = TokenizerFolder.Guard(single, () => OrdinaryFile.ReadText(single));
        var named = Path.Combine(folder, TokenizerFolder.NamedTemplatesFolder);
        if (!Directory.Exists(named))
            return;
        foreach (var path in Directory.GetFiles(named, "*.jinja").Order(StringComparer.Ordinal))
            templates[Path.GetFileNameWithoutExtension(path)] = TokenizerFolder.Guard(path, () => OrdinaryFile.ReadText(path));
    }

    private static JsonObject? Without(JsonObject? map, string[] keys)
    {
        if (map?.DeepClone() is not JsonObject copy)
            return null;
        foreach (var key in keys)
            copy.Remove(key);
        return copy;
    }
}
