using System.Text.Json.Nodes;

namespace Handbook.Sampling;

/// <summary>The files that sampling ends with: every candidate, an SFT set and a preference set, each a dataset as it stands.</summary>
/// <param name="Folder">The run's folder.</param>
public sealed record SampledSets(string Folder)
{
    /// <summary>Every candidate with its scores: <c>prompt</c>, <c>completion</c>, <c>score</c>, <c>scores</c> ...</summary>
    public string Candidates => Path.Combine(Folder, "candidates.jsonl");

    /// <summary>The best completions: <c>messages</c> (or <c>prompt</c> and <c>completion</c> of plain texts), <c>score</c>.</summary>
    public string Sft => Path.Combine(Folder, "sft.jsonl");

    /// <summary>Pairs: <c>prompt</c>, <c>chosen</c>, <c>rejected</c>, <c>score_chosen</c>, <c>score_rejected</c>.</summary>
    public string Preferences => Path.Combine(Folder, "preferences.jsonl");

    /// <summary>The report.</summary>
    public string Report => Path.Combine(Folder, Reports.RunReport.FileName);

    /// <summary>Writes the three sets, each whole or not at all.</summary>
    internal void Write(IReadOnlyList<CandidateGroup> groups, Selection selection, IReadOnlyList<string> scorers)
    {
        JsonLines.WriteFile(Candidates,
            groups.SelectMany(group => group.Candidates.Select(candidate => CandidateRow(group.Prompt, candidate, scorers))));
        JsonLines.WriteFile(Sft, groups.SelectMany(group => selection.Best(group).Select(candidate => SftRow(group.Prompt, candidate))));
        JsonLines.WriteFile(Preferences, groups.SelectMany(group => selection.Pairs(group).Select(pair => PairRow(group.Prompt, pair))));
    }

    private static JsonObject CandidateRow(
        PromptRow prompt, Candidate candidate, IReadOnlyList<string> scorers) => prompt.Template.AddTo(new()
    {
        ["prompt_id"] = prompt.Id,
        ["prompt"] = JsonLines.Turns(prompt.Turns),
        ["completion"] = JsonLines.Completion(prompt.Turns, candidate.Completion),
        ["sample"] = candidate.Sample,
        ["score"] = candidate.Score,
        ["scores"] = new JsonObject(scorers.Zip(candidate.Scores, (name, score) => KeyValuePair.Create(name, (JsonNode?)score))),
        ["finish_reason"] = candidate.Completion.FinishReason,
        ["tokens"] = candidate.Completion.Tokens,
        ["logp"] = candidate.Completion.Logp,
    });

    private static JsonObject SftRow(PromptRow prompt, Candidate best)
    {
        var row = new JsonObject { ["prompt_id"] = prompt.Id };
        if (prompt.Turns.Messages is { } messages)
            row["messages"] = JsonLines.Messages([.. messages, best.Completion.AsMessage()]);
        else
            (row["prompt"], row["completion"]) = (prompt.Turns.Text, best.Completion.Text);
        row["score"] = best.Score;
        return prompt.Template.AddTo(row);
    }

    private static JsonObject PairRow(PromptRow prompt, CandidatePair pair) => prompt.Template.AddTo(new()
    {
        ["prompt_id"] = prompt.Id,
        ["prompt"] = JsonLines.Turns(prompt.Turns),
        ["chosen"] = JsonLines.Completion(prompt.Turns, pair.Chosen.Completion),
        ["rejected"] = JsonLines.Completion(prompt.Turns, pair.Rejected.Completion),
        ["score_chosen"] = pair.Chosen.Score,
        ["score_rejected"] = pair.Rejected.Score,
    });
}
