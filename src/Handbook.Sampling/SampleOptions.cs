using System.Text.Json.Nodes;
using Handbook.Sampling.Scoring;

namespace Handbook.Sampling;

/// <summary>Everything rejection sampling is told.</summary>
public sealed record SampleOptions
{
    /// <summary>Who answers.</summary>
    public required PolicyOptions Policy { get; init; }

    /// <summary>Which prompts.</summary>
    public required PromptOptions Prompts { get; init; }

    /// <summary>How prompts are completed, and how often.</summary>
    public SampleSettings Settings { get; init; } = new() { Count = 8 };

    /// <summary>What answers are scored by; at least one.</summary>
    public required IReadOnlyList<ScorerOptions> Scorers { get; init; }

    /// <summary>What is taken of the answers.</summary>
    public SelectionOptions Selection { get; init; } = new();

    /// <summary>The folder of the results.</summary>
    public required string OutputDirectory { get; init; }

    /// <summary>Seed of everything that is drawn.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Prompts after which what was made is made durable: what a kill can cost.</summary>
    public int PromptsPerBlock { get; init; } = 32;
}
