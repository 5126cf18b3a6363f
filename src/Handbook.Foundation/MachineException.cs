namespace Handbook;

/// <summary>
/// What a machine lacks, or a server does: nothing that a recipe says is wrong. Its message is one line that says what was found and what
/// helps; the command line prints it without a stack trace and leaves with exit code 1.
/// </summary>
public class MachineException : Exception
{
    /// <summary>Reports it.</summary>
    public MachineException(string message, Exception? cause = null) : base(message, cause) { }
}
