using System.Text.Json.Nodes;

namespace Handbook.Sampling;

/// <summary>A completion with its scores.</summary>
/// <param name="Sample">Its number among the prompt's completions.</param>
/// <param name="Completion">The completion.</param>
/// <param name="Scores">What each scorer gave, in the scorers' order.</param>
/// <param name="Score">The weighted sum; null when a scorer gave nothing.</param>
public sealed record Candidate(int Sample, SampledCompletion Completion, IReadOnlyList<double?> Scores, double? Score);

/// <summary>A prompt with its completions.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Candidates">Its completions by sample.</param>
/// <param name="Refusal">Why there is none; null when there are.</param>
public sealed record CandidateGroup(PromptRow Prompt, IReadOnlyList<Candidate> Candidates, string? Refusal)
{
    /// <summary>Puts together what was sampled and what was scored.</summary>
    public static CandidateGroup Of(
        PromptRow prompt, SampledPrompt sampled, IReadOnlyList<double?[]> scores, IReadOnlyList<double> weights) => new(
        prompt, [.. sampled.Completions.Select((completion, i) => new Candidate(i, completion, scores[i], Sum(scores[i], weights)))],
        sampled.Refusal);

    /// <summary>What was sampled, for the journal.</summary>
    internal static JsonObject ToJson(PromptRow prompt, SampledPrompt sampled) => new()
    {
        ["prompt_id"] = prompt.Id,
        ["refusal"] = sampled.Refusal,
        ["answers"] = new JsonArray([.. sampled.Completions.Select(ToJson)]),
    };

    /// <summary>What was sampled, out of the journal.</summary>
    internal static SampledPrompt FromJson(JsonObject row) => new(
        [.. row["answers"]!.AsArray().Select(completion => new SampledCompletion(
            completion!["text"]!.GetValue<string>(), completion["finish_reason"]!.GetValue<string>(), completion["tokens"]?.GetValue<int>(),
            completion["logp"]?.GetValue<double>())
        {
            ToolCalls = completion["tool_calls"]?.DeepClone().AsArray(),
        })],
        row["refusal"]?.GetValue<string>());

    private static JsonObject ToJson(SampledCompletion completion)
    {
        var json = new JsonObject
        {
            ["text"] = completion.Text, ["finish_reason"] = completion.FinishReason, ["tokens"] = completion.Tokens,
            ["logp"] = completion.Logp,
        };
        if (completion.ToolCalls is { } calls)
            json["tool_calls"] = calls.DeepClone();
        return json;
    }

    private static double? Sum(double?[] scores, IReadOnlyList<double> weights)
    {
        var sum = 0.0;
        foreach (var (score, weight) in scores.Zip(weights))
        {
            if (score is null)
                return null;
            sum += weight * score.Value;
        }
        // What weights leave behind the tenth decimal is noise, and would part completions that are equal.
        return Math.Round(sum, 10);
    }
}
