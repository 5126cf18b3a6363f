using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Chat;
using Handbook.Data.Sources;

namespace Handbook.Data.Examples;

/// <summary>Reads messages in the forms that datasets have them in.</summary>
internal static class MessageReader
{
    private static readonly Dictionary<string, string> Roles = new(StringComparer.OrdinalIgnoreCase)
    {
        ["system"] = "system", ["developer"] = "developer",
        ["user"] = "user", ["human"] = "user", ["prompter"] = "user",
        ["assistant"] = "assistant", ["gpt"] = "assistant", ["bot"] = "assistant", ["chatgpt"] = "assistant", ["model"] = "assistant",
        ["tool"] = "tool", ["observation"] = "tool", ["function_response"] = "tool", ["ipython"] = "ipython", ["function"] = "function",
        ["function_call"] = "assistant",
    };

    private static readonly string[] StandardRoles = ["system", "developer", "user", "assistant", "tool", "ipython", "function"];

    private static readonly string[] RoleKeys = ["role", "from"];

    private static readonly string[] InsteadOfContent = ["content", "tool_calls", "function_call", "reasoning_content", "thinking"];

    /// <summary>
    /// A value that is messages: a list of objects with <c>role</c> and <c>content</c> (or ShareGPT's <c>from</c> and
    /// <c>value</c>), one such object, or a text that holds the list as JSON, as CSV files have it. Null when it is a plain text.
    /// </summary>
    /// <exception cref="BadRowException">It is neither, or a message is wrong.</exception>
    public static List<Message>? Read(JsonElement value, RowPlace place, string column)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                return ReadList(value, place, column);
            case JsonValueKind.Object:
                return [ReadMessage(value, place, column, 0)];
            case JsonValueKind.String:
                return Embedded(value, place, column) is { } list ? ReadList(list, place, column) : null;
            default:
                throw new BadRowException(place, column, $"{JsonKind.Of(value)}; expected a text or a list of messages");
        }
    }

    /// <summary>The list inside a text that is one of messages, or null: a completion may be a list of anything else.</summary>
    private static JsonElement? Embedded(JsonElement value, RowPlace place, string column)
    {
        var text = value.GetString()!.AsSpan().TrimStart();
        if (text.Length == 0 || text[0] != '[' || text[1..].TrimStart() is not ['{', ..])
            return null;
        try
        {
            using var document = JsonDocument.Parse(value.GetString()!);
            // A list of people and what they do has roles too, but none that speaks in a conversation.
            return document.RootElement.EnumerateArray().All(LooksLikeMessage) && document.RootElement.EnumerateArray().Any(HasUsualRole)
                ? document.RootElement.Clone() : null;
        }
        catch (JsonException) when (PrintedMember(text) is "role" or "content" or "from" or "value")
        {
            throw new BadRowException(place, column, "holds a Python list in its printed form; expected JSON ([{\"role\": ...}])");
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether a member of a list names who speaks and has something said.</summary>
    private static bool LooksLikeMessage(JsonElement item) => item.ValueKind == JsonValueKind.Object
        && ((HasText(item, "role") && InsteadOfContent.Any(key => item.TryGetProperty(key, out _)))
            || (HasText(item, "from") && item.TryGetProperty("value", out _)));

    private static bool HasUsualRole(JsonElement item) =>
        RoleKeys.Any(key => HasText(item, key) && Roles.ContainsKey(item.GetProperty(key).GetString()!));

    private static bool HasText(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String;

    /// <summary>The first key of a list of dicts as Python prints it; empty when it is none.</summary>
    private static ReadOnlySpan<char> PrintedMember(ReadOnlySpan<char> text)
    {
        var member = text[1..].TrimStart()[1..].TrimStart();
        return member is ['\'', ..] && member[1..].IndexOf('\'') is > 0 and var end ? member.Slice(1, end) : [];
    }

    private static List<Message> ReadList(JsonElement list, RowPlace place, string column)
    {
        var messages = new List<Message>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
            messages.Add(ReadMessage(item, place, column, messages.Count));
        return messages.Count > 0 ? messages : throw new BadRowException(place, column, "an empty list; expected at least one message");
    }

    private static Message ReadMessage(JsonElement item, RowPlace place, string column, int index)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw Bad($"is {JsonKind.Of(item)}; expected an object with role and content");
        var roleKey = item.TryGetProperty("role", out var role) ? "role" : item.TryGetProperty("from", out role) ? "from" : null;
        if (roleKey is null)
            throw Bad("has no role");
        if (role.ValueKind != JsonValueKind.String)
            throw Bad($"has the role {role}; expected a text, such as {string.Join(", ", StandardRoles)}");
        var given = role.GetString()!;
        // Templates may have roles of their own, but one letter beside a usual one is a slip.
        if (!Roles.TryGetValue(given, out var known) && StandardRoles.FirstOrDefault(usual => IsSlip(given, usual)) is { } meant)
            throw Bad($"has the role {given}; expected {string.Join(", ", StandardRoles)}. Did you mean {meant}?");
        var contentKey = item.TryGetProperty("content", out var content) ? "content"
            : item.TryGetProperty("value", out content) ? "value" : null;
        var keepsNulls = !FileFormats.FillsNulls(place.File);
        JsonObject? extra = null;
        string? problem = null;
        foreach (var property in item.EnumerateObject())
        {
            if (property.Name == roleKey || (property.Value.ValueKind == JsonValueKind.Null && !keepsNulls))
                continue;
            if (property.Name != contentKey)
                (extra ??= [])[property.Name] = ToNode(property.Value, keepsNulls);
            else if (property.Value.ValueKind == JsonValueKind.Array)
                (extra ??= [])["content"] = ContentParts.Read(property.Value, keepsNulls, out problem);
            else if (property.Value.ValueKind == JsonValueKind.Null)
                (extra ??= [])["content"] = null;
            else if (property.Value.ValueKind != JsonValueKind.String)
                throw Bad($"has a content that is {JsonKind.Of(property.Value)}; expected a text");
        }
        if (problem is not null)
            throw Bad($"holds {problem}; only text is trained");
        var text = content.ValueKind == JsonValueKind.String ? content.GetString() : null;
        if (text is null && !InsteadOfContent.Any(key => extra?[key] is not null))
            throw Bad("has no content");
        return new Message
        {
            Role = known ?? given, GivenRole = known is null || known == given || roleKey == "from" ? null : given,
            Content = text, Extra = extra,
        };

        BadRowException Bad(string problem) => new(place, column, FormattableString.Invariant($"message {index + 1} {problem}"));
    }

    private static bool IsSlip(string given, string usual) =>
        given != usual + "s" && NearestName.Distance(given.ToLowerInvariant(), usual) <= 1;

    /// <summary>A value, with or without the null members that columnar files fill structs up with.</summary>
    public static JsonNode? ToNode(JsonElement value, bool keepsNulls)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var result = new JsonObject();
                foreach (var property in value.EnumerateObject())
                {
                    if (keepsNulls || property.Value.ValueKind != JsonValueKind.Null)
                        result[property.Name] = ToNode(property.Value, keepsNulls);
                }
                return result;
            case JsonValueKind.Array:
                return new JsonArray([.. value.EnumerateArray().Select(item => ToNode(item, keepsNulls))]);
            case JsonValueKind.Null:
                return null;
            default:
                return JsonNode.Parse(value.GetRawText());
        }
    }
}
