using Handbook.Sampling.Scoring;

namespace Handbook.Sampling;

/// <summary>Everything rejection sampling is told.</summary>
public sealed record SampleOptions : GenerationOptions
{
    /// <summary>What completions are scored by; at least one.</summary>
    public IReadOnlyList<ScorerOptions> Scorers { get; init; } = [];

    /// <summary>What is taken of the completions.</summary>
    public SelectionOptions Selection { get; init; } = new();

    /// <summary>How often to sample and train in turn.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Prompts of each round; null: all of them every time.</summary>
    public int? PromptsPerRound { get; init; }

    /// <summary>The recipe of the training run after each sampling; null for none.</summary>
    public string? TrainRecipe { get; init; }
}
