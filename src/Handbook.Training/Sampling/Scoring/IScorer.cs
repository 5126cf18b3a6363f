namespace Handbook.Training.Sampling.Scoring;

/// <summary>Says how good answers are.</summary>
public interface IScorer : IDisposable
{
    /// <summary>Scores answers.</summary>
    /// <param name="answers">The answers, those of one prompt together.</param>
    /// <param name="stop">Ends it early.</param>
    /// <returns>A score for each, in their order; null for an answer that could not be scored.</returns>
    Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptAnswer> answers, CancellationToken stop);
}

/// <summary>An answer to score.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Text">The answer.</param>
public sealed record PromptAnswer(PromptRow Prompt, string Text);
