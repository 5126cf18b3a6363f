namespace Handbook.Training.Runs;

/// <summary>An output folder is another run's. Whoever chose the folder for the user tells it in words of its own.</summary>
/// <param name="message">The message to one who named the folder himself.</param>
/// <param name="differences">What differs.</param>
public sealed class AnotherRunException(string message, string differences) : UserErrorException(message)
{
    /// <summary>What differs, as the message says it.</summary>
    public string Differences { get; } = differences;
}
