namespace Handbook.Data.Cleaning;

/// <summary>What an example shows by itself.</summary>
/// <param name="Reason">The rule it breaks and details, or no rule.</param>
/// <param name="WholeHash">Hash of all its words, when exact duplicates are looked for.</param>
/// <param name="Signature">Its MinHash signature, when near duplicates are looked for.</param>
/// <param name="Beginning">The beginning of its text, for reports.</param>
public sealed record CleaningVerdict((string? Rule, string Detail) Reason, ulong? WholeHash, uint[]? Signature, string Beginning)
{
    /// <summary>The rule it breaks, or null.</summary>
    public string? Rule => Reason.Rule;

    /// <summary>Details for the report.</summary>
    public string Detail => Reason.Detail;
}
