using Handbook.Chat;

namespace Handbook.Data.Examples;

/// <summary>A side of an example: plain text, or messages for the chat template; exactly one of the two.</summary>
/// <param name="Text">Plain text, or null.</param>
/// <param name="Messages">Messages in order, or null.</param>
public sealed record Turns(string? Text, IReadOnlyList<Message>? Messages)
{
    /// <summary>Plain text.</summary>
    public static Turns Of(string text) => new(text, null);

    /// <summary>Messages.</summary>
    public static Turns Of(IReadOnlyList<Message> messages) => new(null, messages);

    /// <summary>All words of this side, for counting, cleaning and looking for duplicates.</summary>
    public string PlainText => Text ?? string.Join('\n', Messages!.Select(message => message.Text));
}
