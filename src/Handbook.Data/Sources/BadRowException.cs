namespace Handbook.Data.Sources;

/// <summary>
/// A row that cannot be used. With <c>on_bad_row: error</c> it ends the run as one line that names file, row and column; with
/// <c>skip</c> it is counted and left out.
/// </summary>
public sealed class BadRowException : Exception
{
    private BadRowException(RowPlace place, string problem, Exception cause) : base($"{place}: {problem}", cause) =>
        (Place, Problem) = (place, problem);

    /// <summary>Names the row, the column where one is to blame, what was found and what was expected.</summary>
    public BadRowException(RowPlace place, string? column, string problem)
        : base($"{place}{(column is null ? "" : $", column \"{column}\"")}: {problem}") =>
            (Place, Column, Problem) = (place, column, problem);

    /// <summary>Where the row stands.</summary>
    public RowPlace Place { get; }

    /// <summary>What is wrong, without the place.</summary>
    public string Problem { get; }

    /// <summary>The column to blame, or null when the row as a whole is broken.</summary>
    public string? Column { get; }

    /// <summary>Does something with a row. Whatever a row makes fail is that row's fault, and has its place.</summary>
    /// <exception cref="BadRowException">It failed, in whatever way.</exception>
    public static T Guard<T>(RowPlace place, Func<T> step)
    {
        try
        {
            return step();
        }
        catch (Exception e) when (e is not BadRowException and not UserErrorException and not OperationCanceledException
            and not OutOfMemoryException)
        {
            throw new BadRowException(place, $"cannot be used: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>The same words as a user's mistake.</summary>
    public UserErrorException AsUserError() =>
        new(Message + " (on_bad_row: skip leaves such rows out and counts them)", this);
}
