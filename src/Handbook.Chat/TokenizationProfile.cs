namespace Handbook.Chat;

/// <summary>
/// Whose rules turn text into tokens where the original's eras differ: BOS, EOS, where a prompt ends, how long pairs are
/// cut. A run's report names the profile.
/// </summary>
public enum TokenizationProfile
{
    /// <summary>
    /// <c>best</c>: one BOS where the tokenizer has one, an end of turn that is always a label and never doubled, prompt and
    /// answers of one tokenization each. The default.
    /// </summary>
    Best,

    /// <summary><c>v0.3</c>: the scripts up to April 2025 with TRL 0.7 to 0.12, faults included.</summary>
    V03,

    /// <summary><c>trl-0.19</c>: the scripts since July 2025 with TRL 0.19, faults included.</summary>
    Trl019,
}

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
    public TokenizationProfile Profile { get; init; } = TokenizationProfile.Best;

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
