namespace Handbook;

/// <summary>
/// A mistake that the person at the keyboard can mend. Its message is one line (or one line a problem) that names the
/// file and key, what was found, what was expected and, where there is one, the nearest valid name. The command line
/// prints it without a stack trace and leaves with exit code 2.
/// </summary>
public class UserErrorException : Exception
{
    /// <summary>Reports one problem.</summary>
    public UserErrorException(string message) : base(message) => Problems = [message];

    /// <summary>Reports one problem and keeps its cause for <c>--verbose</c>.</summary>
    public UserErrorException(string message, Exception innerException) : base(message, innerException) => Problems = [message];

    /// <summary>Reports several problems at once, one a line.</summary>
    public UserErrorException(IEnumerable<string> problems) : this([.. problems]) { }

    private UserErrorException(string[] problems) : base(string.Join('\n', problems)) => Problems = problems;

    /// <summary>The problems: each is one line, whatever the data that it quotes.</summary>
    public IReadOnlyList<string> Problems { get; }
}
