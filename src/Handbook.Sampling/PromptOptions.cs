using Handbook.Data.Sources;

namespace Handbook.Sampling;

/// <summary>Which prompts are completed.</summary>
public sealed record PromptOptions
{
    /// <summary>The dataset.</summary>
    public required DatasetRequest Dataset { get; init; }

    /// <summary>New names of columns, by their names in the files.</summary>
    public IReadOnlyDictionary<string, string>? RenameColumns { get; init; }

    /// <summary>The column of plain text.</summary>
    public string TextColumn { get; init; } = "text";

    /// <summary>True: a plain text is continued as it stands; false: it is a user's turn.</summary>
    public bool IsPlainText { get; init; }

    /// <summary>A system turn for conversations that have none; null for none.</summary>
    public string? SystemPrompt { get; init; }

    /// <summary>The first rows left out.</summary>
    public int Skip { get; init; }

    /// <summary>The most prompts; null for all.</summary>
    public int? MaxPrompts { get; init; }

    /// <summary>Leave rows out that cannot be used, instead of stopping at the first.</summary>
    public bool SkipBadRows { get; init; }
}
