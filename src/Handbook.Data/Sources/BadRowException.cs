namespace Handbook.Data.Sources;

/// <summary>
/// A row that cannot be used. With <c>on_bad_row: error</c> it ends the run as one line that names file, row and column; with
/// <c>skip</c> it is counted and left out.
/// </summary>
public sealed class BadRowException : Exception
{
    /// <summary>Names the row, the column where one is to blame, what was found and what was expected.</summary>
    public BadRowException(RowPlace place, string? column, string problem)
        : base($"{place}{(column is null ? "" : $", column \"{column}\"")}: {problem}") => (Place, Column) = (place, column);

    /// <summary>Where the row stands.</summary>
    public RowPlace Place { get; }

    /// <summary>The column to blame, or null when the row as a whole is broken.</summary>
    public string? Column { get; }

    /// <summary>The same words as a user's mistake.</summary>
    public UserErrorException AsUserError() =>
        new(Message + " (on_bad_row: skip leaves such rows out and counts them)", this);
}
