namespace Handbook.Chat;

/// <summary>Which tokens of a conversation are labels.</summary>
public enum LabelScope
{
    /// <summary>Every token.</summary>
    Everything,

    /// <summary>The assistant's words and the ends of its turns.</summary>
    AssistantTurns,
}

/// <summary>How conversations become tokens and labels.</summary>
public sealed record ConversationOptions
{
    /// <summary>Whose rules hold.</summary>
    public Profile Profile { get; init; } = Profile.Best;

    /// <summary>Which tokens are labels.</summary>
    public LabelScope Labels { get; init; } = LabelScope.Everything;

    /// <summary>
    /// Whether a conversation without a system message gets an empty one, as <c>auto_insert_empty_system_msg</c> asks; only
    /// where the template mentions <c>system</c> or <c>&lt;|im_start|&gt;</c>.
    /// </summary>
    public bool InsertEmptySystemMessage { get; init; }

    /// <summary>What the template sees besides the messages; an example's own tools and arguments come on top.</summary>
    public ChatTemplateOptions Template { get; init; } = ChatTemplateOptions.None;
}
