using Handbook.Data.Packing;

namespace Handbook.Training.Options;

/// <summary>What becomes of an example that is longer than a row.</summary>
public enum TruncationMode
{
    /// <summary>Its end is kept.</summary>
    KeepEnd,

    /// <summary>Its beginning is kept.</summary>
    KeepStart,

    /// <summary>It is left out.</summary>
    Drop,

    /// <summary>It goes on in another row; nothing is lost.</summary>
    Split,
}

/// <summary>Which tokens count in the loss.</summary>
public enum LossScope
{
    /// <summary>Completions when the data has prompts, else everything.</summary>
    Auto,

    /// <summary>Every token.</summary>
    Everything,

    /// <summary>Tokens after the prompt.</summary>
    Completions,

    /// <summary>What the assistant says, end-of-turn token included.</summary>
    AssistantTurns,
}

/// <summary>How examples become rows of tokens with labels.</summary>
public sealed record SequenceOptions
{
    /// <summary>Tokens a row, prompt and completion together; null: the model's limit, at most 1024.</summary>
    public int? MaxLength { get; init; }

    /// <summary>The most tokens of a preference prompt; null: no limit of its own.</summary>
    public int? MaxPromptLength { get; init; }

    /// <summary>The most tokens of a preference completion; null: no limit of its own.</summary>
    public int? MaxCompletionLength { get; init; }

    /// <summary>
    /// What becomes of a too long example; null leaves it to the task (SFT keeps the start, continued pretraining splits).
    /// </summary>
    public TruncationMode? Truncation { get; init; }

    /// <summary>How training examples share rows.</summary>
    public PackingStrategy Packing { get; init; } = PackingStrategy.None;

    /// <summary>How evaluation examples share rows.</summary>
    public PackingStrategy EvaluationPacking { get; init; } = PackingStrategy.None;

    /// <summary>Which tokens count in the loss.</summary>
    public LossScope LossScope { get; init; } = LossScope.Auto;

    /// <summary>Put rows of like length into one batch.</summary>
    public bool GroupByLength { get; init; }

    /// <summary>Drop the last batch of an epoch when it is not full.</summary>
    public bool DropLastBatch { get; init; }
}
