using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Data.Sources;
using Handbook.Text.Conversations;

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

    /// <summary>The list inside a text that begins as a list of objects, or null.</summary>
    private static JsonElement? Embedded(JsonElement value, RowPlace place, string column)
    {
        var text = value.GetString()!.AsSpan().TrimStart();
        if (text.Length == 0 || text[0] != '[' || text[1..].TrimStart() is not ['{', ..])
            return null;
        try
        {
            using var document = JsonDocument.Parse(value.GetString()!);
            return document.RootElement.Clone();
        }
        catch (JsonException) when (text[1..].TrimStart()[1..].TrimStart() is ['\'', ..])
        {
            throw new BadRowException(place, column, "holds a Python list in its printed form; expected JSON ([{\"role\": ...}])");
        }
        catch (JsonException)
        {
            return null;
        }
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
        if (role.ValueKind != JsonValueKind.String || !Roles.TryGetValue(role.GetString()!, out var known))
            throw Bad($"has the role {role}; expected {string.Join(", ", StandardRoles)}.{NearestName.Hint(role.ToString(), StandardRoles)}");
        var contentKey = item.TryGetProperty("content", out var content) ? "content" : item.TryGetProperty("value", out content) ? "value" : null;
        JsonObject? extra = null;
        foreach (var property in item.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null || property.Name == roleKey)
                continue;
            if (property.Name != contentKey)
                (extra ??= [])[property.Name] = ToNode(property.Value);
            else if (property.Value.ValueKind == JsonValueKind.Array && JoinedText(property.Value) is null)
                (extra ??= [])["content"] = Parts(property.Value);
            else if (property.Value.ValueKind == JsonValueKind.Array)
                continue;
            else if (property.Value.ValueKind != JsonValueKind.String)
                throw Bad($"has a content that is {JsonKind.Of(property.Value)}; expected a text");
        }
        var text = content.ValueKind == JsonValueKind.String ? content.GetString()
            : content.ValueKind == JsonValueKind.Array ? JoinedText(content) : null;
        if (text is null && !InsteadOfContent.Any(key => extra?.ContainsKey(key) == true))
            throw Bad("has no content");
        return new Message { Role = known, Content = text, Extra = extra };

        BadRowException Bad(string problem) => new(place, column, FormattableString.Invariant($"message {index + 1} {problem}"));

        JsonArray Parts(JsonElement parts)
        {
            var kept = new JsonArray();
            foreach (var part in parts.EnumerateArray())
            {
                if (part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var type) && type.ValueEquals("image"))
                    throw Bad("holds an image; only text is trained");
                kept.Add(ToNode(part));
            }
            return kept;
        }
    }

    /// <summary>Parts that are all text are one text: few templates know parts.</summary>
    private static string? JoinedText(JsonElement parts)
    {
        var texts = new List<string>();
        foreach (var part in parts.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out var type) || !type.ValueEquals("text")
                || !(part.TryGetProperty("text", out var text) || part.TryGetProperty("value", out text)) || text.ValueKind != JsonValueKind.String)
                return null;
            texts.Add(text.GetString()!);
        }
        return texts.Count > 0 ? string.Concat(texts) : null;
    }

    /// <summary>A value without the null members that columnar files fill up with.</summary>
    public static JsonNode? ToNode(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var result = new JsonObject();
                foreach (var property in value.EnumerateObject())
                {
                    if (property.Value.ValueKind != JsonValueKind.Null)
                        result[property.Name] = ToNode(property.Value);
                }
                return result;
            case JsonValueKind.Array:
                return new JsonArray([.. value.EnumerateArray().Select(ToNode)]);
            case JsonValueKind.Null:
                return null;
            default:
                return JsonNode.Parse(value.GetRawText());
        }
    }
}
