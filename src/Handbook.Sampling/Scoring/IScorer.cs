using System.Text.Json.Nodes;

namespace Handbook.Sampling.Scoring;

/// <summary>Says how good answers are.</summary>
public interface IScorer : IDisposable
{
    /// <summary>
    /// Why answers got no score so far although another try may bring one, as after a judge's repair; null when there is no such answer.
    /// </summary>
    string? Missing => null;

    /// <summary>Scores answers.</summary>
    /// <param name="answers">The answers, those of one prompt together.</param>
    /// <param name="stop">Ends it early.</param>
    /// <returns>A score for each, in their order; null for an answer that could not be scored.</returns>
    Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptAnswer> answers, CancellationToken stop);
}

/// <summary>An answer to score.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Text">The answer.</param>
public sealed record PromptAnswer(PromptRow Prompt, string Text)
{
    /// <summary>Tools that it calls; null for none.</summary>
    public JsonArray? ToolCalls { get; init; }

    /// <summary>The score that it got before; a judge is not asked for it again.</summary>
    public double? Known { get; init; }

    /// <summary>An answer as it was sampled.</summary>
    public static PromptAnswer Of(PromptRow prompt, SampledAnswer answer) => new(prompt, answer.Text) { ToolCalls = answer.ToolCalls };

    /// <summary>The answer as it was sampled.</summary>
    public SampledAnswer Answer => new(Text, "stop") { ToolCalls = ToolCalls };
}
