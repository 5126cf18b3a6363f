namespace Handbook.Data.Store;

/// <summary>Counts of a set's rows.</summary>
public sealed record SetSummary
{
    /// <summary>Number of rows.</summary>
    public required int RowCount { get; init; }

    /// <summary>Number of examples that stand in rows.</summary>
    public required int ExampleCount { get; init; }

    /// <summary>Tokens in rows.</summary>
    public required long TokenCount { get; init; }

    /// <summary>Tokens in rows that are labels.</summary>
    public required long LossTokenCount { get; init; }

    /// <summary>Most tokens of a row.</summary>
    public required int MaxLength { get; init; }

    /// <summary>True when the documents of a row do not see each other.</summary>
    public required bool Isolated { get; init; }

    /// <summary>Examples that lost tokens because they are longer than a row, or than what is kept of a prompt or a completion.</summary>
    public int Truncated { get; init; }

    /// <summary>Examples left out because they are longer than a row.</summary>
    public int Dropped { get; init; }

    /// <summary>Examples left out because they have no token, or because a completion would be cut to none.</summary>
    public int Emptied { get; init; }

    /// <summary>Examples that stand in several pieces.</summary>
    public int Split { get; init; }

    /// <summary>Tokens that stand in no row.</summary>
    public long LostTokens { get; init; }

    /// <summary>Examples without a single label in any row: they teach nothing.</summary>
    public int WithoutLabel { get; init; }

    /// <summary>Rows without a single label: a batch of such rows would have nothing to learn from.</summary>
    public int RowsWithoutLabel { get; init; }

    /// <summary>The first few of the examples without a label.</summary>
    public IReadOnlyList<string> WithoutLabelExamples { get; init; } = [];

    /// <summary>Share of the rows' places that hold a token.</summary>
    public double Efficiency => RowCount == 0 ? 1 : TokenCount / ((double)RowCount * MaxLength);
}
