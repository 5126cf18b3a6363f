using System.Text.Json.Nodes;

namespace Handbook.Text.Conversations;

/// <summary>One turn of a conversation, as datasets and chat templates know it.</summary>
public sealed record Message
{
    /// <summary>Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c> or what the template knows.</summary>
    public required string Role { get; init; }

    /// <summary>What is said; null when the key is absent or null (an assistant turn that only calls tools).</summary>
    public string? Content { get; init; }

    /// <summary>
    /// Every other key of the message in its original order (<c>tool_calls</c>, <c>name</c>, <c>reasoning_content</c>, or
    /// <c>content</c> itself when it is a list of parts); null when there is none. Handed to templates untouched.
    /// </summary>
    public JsonObject? Extra { get; init; }
}
