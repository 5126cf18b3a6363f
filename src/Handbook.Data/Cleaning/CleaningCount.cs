namespace Handbook.Data.Cleaning;

/// <summary>What one rule removed.</summary>
/// <param name="Rule">The rule, in words.</param>
/// <param name="Removed">Number of examples.</param>
/// <param name="Examples">The first few: place, reason and the beginning of the text.</param>
public sealed record CleaningCount(string Rule, int Removed, IReadOnlyList<string> Examples);
