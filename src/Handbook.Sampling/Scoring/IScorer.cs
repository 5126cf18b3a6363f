using System.Text.Json.Nodes;

namespace Handbook.Sampling.Scoring;

/// <summary>Says how good completions are.</summary>
public interface IScorer : IDisposable
{
    /// <summary>
    /// Why completions got no score so far although another try may bring one, as after a judge's repair; null when there is no such
    /// completion.
    /// </summary>
    string? Missing => null;

    /// <summary>Scores completions.</summary>
    /// <param name="completions">The completions, those of one prompt together.</param>
    /// <param name="stop">Ends it early.</param>
    /// <returns>A score for each, in their order; null for a completion that could not be scored.</returns>
    Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptCompletion> completions, CancellationToken stop);
}

/// <summary>A completion to score.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Text">The completion.</param>
public sealed record PromptCompletion(PromptRow Prompt, string Text)
{
    /// <summary>Tools that it calls; null for none.</summary>
    public JsonArray? ToolCalls { get; init; }

    /// <summary>The score that it got before; a judge is not asked for it again.</summary>
    public double? Known { get; init; }

    /// <summary>A completion as it was sampled.</summary>
    public static PromptCompletion Of(PromptRow prompt, SampledCompletion completion) =>
        new(prompt, completion.Text) { ToolCalls = completion.ToolCalls };

    /// <summary>The completion as it was sampled.</summary>
    public SampledCompletion Completion => new(Text, "stop") { ToolCalls = ToolCalls };
}
