using Handbook.Data.Sources;

namespace Handbook.Sampling.Constitutional;

/// <summary>Everything critique and revision are told.</summary>
public sealed record ConstitutionOptions : GenerationOptions
{
    /// <summary>The split whose prompts become the test sets; null for none.</summary>
    public DatasetRequest? TestDataset { get; init; }

    /// <summary>The principles.</summary>
    public Constitution Constitution { get; init; } = new([], []);

    /// <summary>Critiques and revisions of a completion.</summary>
    public int RevisionRounds { get; init; } = 1;

    /// <summary>The share of the rows, from the first, that goes into the SFT set; the rest goes into the preference set.</summary>
    public double SftShare { get; init; } = 0.5;
}
