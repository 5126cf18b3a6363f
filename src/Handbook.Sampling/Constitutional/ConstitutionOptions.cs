using Handbook.Data.Sources;

namespace Handbook.Sampling.Constitutional;

/// <summary>Everything critique and revision are told.</summary>
public sealed record ConstitutionOptions
{
    /// <summary>Who answers, criticises and revises.</summary>
    public required PolicyOptions Policy { get; init; }

    /// <summary>Prompts of the training sets.</summary>
    public required PromptOptions Prompts { get; init; }

    /// <summary>The split whose prompts become the test sets; null for none.</summary>
    public DatasetRequest? TestDataset { get; init; }

    /// <summary>How every turn is sampled; one answer a turn.</summary>
    public SampleSettings Settings { get; init; } = new();

    /// <summary>The principles.</summary>
    public required Constitution Constitution { get; init; }

    /// <summary>Critiques and revisions of an answer.</summary>
    public int RevisionRounds { get; init; } = 1;

    /// <summary>The share of the rows, from the first, that goes into the SFT set; the rest goes into the preference set.</summary>
    public double SftShare { get; init; } = 0.5;

    /// <summary>The folder of the results.</summary>
    public required string OutputDirectory { get; init; }

    /// <summary>Seed of everything that is drawn.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Prompts after which what was made is made durable.</summary>
    public int PromptsPerBlock { get; init; } = 32;
}
