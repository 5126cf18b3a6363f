using System.Text.Json.Nodes;

namespace Handbook.Sampling;

/// <summary>An answer with its scores.</summary>
/// <param name="Sample">Its number among the prompt's answers.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Scores">What each scorer gave, in the scorers' order.</param>
/// <param name="Score">The weighted sum; null when a scorer gave nothing.</param>
public sealed record Candidate(int Sample, SampledAnswer Answer, IReadOnlyList<double?> Scores, double? Score);

/// <summary>A prompt with its answers.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Candidates">Its answers by sample.</param>
/// <param name="Refusal">Why there is none; null when there are.</param>
public sealed record CandidateGroup(PromptRow Prompt, IReadOnlyList<Candidate> Candidates, string? Refusal)
{
    /// <summary>Puts together what was sampled and what was scored.</summary>
    public static CandidateGroup Of(
        PromptRow prompt, SampledPrompt sampled, IReadOnlyList<double?[]> scores, IReadOnlyList<double> weights) => new(
        prompt, [.. sampled.Answers.Select((answer, i) => new Candidate(i, answer, scores[i], Sum(scores[i], weights)))], sampled.Refusal);

    /// <summary>What was sampled, for the journal.</summary>
    internal static JsonObject ToJson(PromptRow prompt, SampledPrompt sampled) => new()
    {
        ["prompt_id"] = prompt.Id,
        ["refusal"] = sampled.Refusal,
        ["answers"] = new JsonArray([.. sampled.Answers.Select(ToJson)]),
    };

    /// <summary>What was sampled, out of the journal.</summary>
    internal static SampledPrompt FromJson(JsonObject row) => new(
        [.. row["answers"]!.AsArray().Select(answer => new SampledAnswer(
            answer!["text"]!.GetValue<string>(), answer["finish_reason"]!.GetValue<string>(), answer["tokens"]?.GetValue<int>(),
            answer["logp"]?.GetValue<double>())
        {
            ToolCalls = answer["tool_calls"]?.DeepClone().AsArray(),
        })],
        row["refusal"]?.GetValue<string>());

    private static JsonObject ToJson(SampledAnswer answer)
    {
        var json = new JsonObject
        {
            ["text"] = answer.Text, ["finish_reason"] = answer.FinishReason, ["tokens"] = answer.Tokens, ["logp"] = answer.Logp,
        };
        if (answer.ToolCalls is { } calls)
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
        // What weights leave behind the tenth decimal is noise, and would part answers that are equal.
        return Math.Round(sum, 10);
    }
}
