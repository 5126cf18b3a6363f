using Handbook.Data.Store;

namespace Handbook.Data.Preparation;

/// <summary>How examples become tokens and labels.</summary>
public sealed record EncoderOptions
{
    /// <summary>What the task trains on.</summary>
    public StoreKind Kind { get; init; } = StoreKind.Sequences;

    /// <summary>
    /// Whether prompts are labels too, in rows of prompt and completion. Null: they are not. False insists: rows that have no
    /// prompt column are then refused (<c>completion_only_loss: true</c>).
    /// </summary>
    public bool? PromptLabels { get; init; }

    /// <summary>How plain text is ended.</summary>
    public PlainTextOptions PlainText { get; init; } = new();

    /// <summary>The lengths to which pairs and verdicts are cut.</summary>
    public AnswerLimits Limits { get; init; } = new();
}
