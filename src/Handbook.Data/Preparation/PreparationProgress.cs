namespace Handbook.Data.Preparation;

/// <summary>How far preparation has come.</summary>
/// <param name="Stage">What is being done: <c>tokenize</c>, <c>pack</c> or <c>finish</c>.</param>
/// <param name="Examples">Examples done.</param>
/// <param name="TotalExamples">Examples there will be, or null while that is unknown.</param>
/// <param name="Bytes">Bytes of rows done.</param>
/// <param name="Tokens">Tokens written.</param>
/// <param name="Elapsed">Time since preparation began.</param>
/// <param name="Remaining">Time it will still take at this rate, or null while that is unknown.</param>
public readonly record struct PreparationProgress(
    string Stage, long Examples, long? TotalExamples, long Bytes, long Tokens, TimeSpan Elapsed, TimeSpan? Remaining)
{
    /// <summary>Million bytes of rows a second.</summary>
    public double MegabytesPerSecond => Elapsed > TimeSpan.Zero ? Bytes / 1e6 / Elapsed.TotalSeconds : 0;
}
