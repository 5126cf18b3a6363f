using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Chat;

/// <summary>One turn of a conversation, as datasets and chat templates know it.</summary>
public sealed record Message
{
    /// <summary>Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c> or what the template knows.</summary>
    public required string Role { get; init; }

    /// <summary>
    /// The role as the data has it where <see cref="Role"/> is the usual name for it (<c>model</c> for <c>assistant</c>); null where they
    /// are one. A template that mentions it gets it.
    /// </summary>
    public string? GivenRole { get; init; }

    /// <summary>What is said; null when the key is absent or null (an assistant turn that only calls tools).</summary>
    public string? Content { get; init; }

    /// <summary>
    /// Every other key of the message in its original order (<c>tool_calls</c>, <c>name</c>, <c>reasoning_content</c>, or
    /// <c>content</c> itself when it is a list of parts or an explicit null); null when there is none. Handed to templates
    /// untouched.
    /// </summary>
    public JsonObject? Extra { get; init; }

    /// <summary>Every word of the content: the text, or the texts of its parts one after the other.</summary>
    public string Text => Content ?? (Extra?["content"] is JsonArray parts ? JoinParts(parts) : "");

    /// <summary>Content parts as one text, for templates that know texts only; a part that is no text adds nothing.</summary>
    internal static string JoinParts(JsonArray parts) => string.Concat(parts.Select(part =>
        ((part as JsonObject)?["text"] ?? part) is JsonValue text && text.TryGetValue<string>(out var words) ? words : ""));

    /// <summary>Takes a message apart as datasets hold it.</summary>
    /// <param name="message">An object with at least <c>role</c>.</param>
    /// <exception cref="UserErrorException">There is no text under <c>role</c>.</exception>
    public static Message FromJson(JsonObject message)
    {
        if (message["role"] is not JsonValue role || role.GetValueKind() != JsonValueKind.String)
            throw new UserErrorException("a message has no \"role\"; each message needs one, such as \"user\" or \"assistant\".");
        JsonObject? extra = null;
        string? content = null;
        foreach (var (name, value) in message)
        {
            if (name == "role")
                continue;
            if (name == "content" && value is JsonValue text && text.GetValueKind() == JsonValueKind.String)
                content = text.GetValue<string>();
            else
                (extra ??= []).Add(name, value?.DeepClone());
        }
        return new Message { Role = role.GetValue<string>(), Content = content, Extra = extra };
    }
}
