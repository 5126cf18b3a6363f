using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Tokenizers.Files;

/// <summary>Writes the configuration beside tokenizer.json.</summary>
internal static class SettingsWriter
{
    /// <summary>Writes <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and the chat templates.</summary>
    public static void Write(string folder, Tokenizer tokenizer)
    {
        WriteJson(Path.Combine(folder, TokenizerFolder.ConfigFile), Config(tokenizer));
        WriteJson(Path.Combine(folder, TokenizerFolder.SpecialTokensFile), SpecialTokens(tokenizer));
        var single = Path.Combine(folder, TokenizerFolder.ChatTemplateFile);
        if (tokenizer.ChatTemplate is { } template)
            AtomicFile.WriteText(single, template);
        else
            File.Delete(single);
        if (tokenizer.Settings.NamedChatTemplates.Count == 0)
            return;
        var named = Directory.CreateDirectory(Path.Combine(folder, TokenizerFolder.NamedTemplatesFolder)).FullName;
        foreach (var (name, text) in tokenizer.Settings.NamedChatTemplates)
            AtomicFile.WriteText(Path.Combine(named, FileName(name)), text);
    }

    private static JsonObject Config(Tokenizer tokenizer)
    {
        var settings = tokenizer.Settings;
        var config = (JsonObject)settings.Other.DeepClone();
        var added = new JsonObject();
        foreach (var (id, token) in tokenizer.AddedTokens)
            added[id.ToString(CultureInfo.InvariantCulture)] = Flags(token, withSpecial: true);
        config["added_tokens_decoder"] = added;
        foreach (var (key, token) in Named(settings))
            config[key] = token;
        if (settings.ModelMaxLength is { } length)
            config["model_max_length"] = length;
        if (Templates(settings) is { } templates)
            config["chat_template"] = templates;
        return config;
    }

    private static JsonNode? Templates(TokenizerSettings settings)
    {
        if (settings.NamedChatTemplates.Count == 0)
            return settings.ChatTemplate;
        var list = new JsonArray();
        if (settings.ChatTemplate is { } template)
            list.Add((JsonNode)new JsonObject { ["name"] = "default", ["template"] = template });
        foreach (var (name, text) in settings.NamedChatTemplates)
            list.Add((JsonNode)new JsonObject { ["name"] = name, ["template"] = text });
        return list;
    }

    private static JsonObject SpecialTokens(Tokenizer tokenizer)
    {
        var map = tokenizer.Settings.OtherSpecialTokens?.DeepClone() as JsonObject ?? [];
        foreach (var (key, token) in Named(tokenizer.Settings))
        {
            var isAdded = tokenizer.TokenToId(token) is { } id && tokenizer.AddedTokens.ContainsKey(id);
            map[key] = isAdded ? Flags(tokenizer.AddedTokens[tokenizer.TokenToId(token)!.Value], withSpecial: false) : token;
        }
        return map;
    }

    private static IEnumerable<(string Key, string Token)> Named(TokenizerSettings settings)
    {
        (string, string?)[] all = [("bos_token", settings.BosToken), ("eos_token", settings.EosToken),
            ("pad_token", settings.PadToken), ("unk_token", settings.UnkToken)];
        return all.Where(entry => entry.Item2 is not null).Select(entry => (entry.Item1, entry.Item2!));
    }

    private static JsonObject Flags(AddedToken token, bool withSpecial)
    {
        var flags = new JsonObject
        {
            ["content"] = token.Content,
            ["lstrip"] = token.StripLeft,
            ["normalized"] = token.Normalized,
            ["rstrip"] = token.StripRight,
            ["single_word"] = token.SingleWord,
        };
        if (withSpecial)
            flags["special"] = token.Special;
        return flags;
    }

    /// <summary>A template's name comes from a file of strangers: it must stay inside the folder.</summary>
    private static string FileName(string name) =>
        name.Length is > 0 and <= 100 && name.All(unit => char.IsAsciiLetterOrDigit(unit) || unit is '_' or '-' or '.') && name[0] != '.'
            ? name + ".jinja"
            : throw new UserErrorException(
                $"The chat template name \"{name}\" cannot be a file name: letters, digits, _ - and . are allowed.");

    private static void WriteJson(string path, JsonObject content) => AtomicFile.Write(path, stream =>
    {
        using var writer = new Utf8JsonWriter(stream, TokenizerWriter.Options);
        content.WriteTo(writer);
    });
}
