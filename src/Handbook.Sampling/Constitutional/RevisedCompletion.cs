using System.Globalization;
using System.Text.Json.Nodes;
using Handbook.Chat;

namespace Handbook.Sampling.Constitutional;

/// <summary>A critique and the revision that followed it.</summary>
/// <param name="Principle">Number of the principle.</param>
/// <param name="Critique">What was said against the completion.</param>
/// <param name="Text">The completion after it.</param>
public sealed record Revision(int Principle, string Critique, string Text);

/// <summary>A prompt with its first completion and what became of it.</summary>
/// <param name="Prompt">The user's words.</param>
/// <param name="Response">The first completion.</param>
/// <param name="Revisions">Critiques and revisions in order.</param>
/// <param name="Truncated">Turns that were cut off at their most tokens.</param>
/// <param name="Refusal">Why it could not be brought to its end; null when it was.</param>
public sealed record RevisedCompletion(string Prompt, string Response, IReadOnlyList<Revision> Revisions, int Truncated, string? Refusal)
{
    /// <summary>The completion after the last revision.</summary>
    public string Final => Revisions[^1].Text;

    /// <summary>Whether it can be learned from: it came to its end with words.</summary>
    public bool IsUsable => Refusal is null && Final.Length > 0;

    /// <summary>Whether the revision differs from the first completion, so that one can be preferred to the other.</summary>
    public bool IsChanged => IsUsable && Final != Response && Response.Length > 0;

    /// <summary>
    /// A row with the columns of the original's datasets (<c>cai-conversation-harmless</c>); further rounds add
    /// <c>critic_prompt_2</c> and so on.
    /// </summary>
    public JsonObject ToRow(int index, IReadOnlyList<Principle> principles)
    {
        var row = new JsonObject { ["index"] = index, ["prompt"] = Prompt, ["init_prompt"] = Prompt, ["init_response"] = Response };
        foreach (var (i, revision) in Revisions.Index())
        {
            var suffix = i == 0 ? "" : "_" + (i + 1).ToString(CultureInfo.InvariantCulture);
            row["critic_prompt" + suffix] = principles[revision.Principle].Critic;
            row["critic_response" + suffix] = revision.Critique;
            row["revision_prompt" + suffix] = principles[revision.Principle].Revision;
            row["revision_response" + suffix] = revision.Text;
        }
        row["messages"] = Conversation(Final);
        row["chosen"] = Conversation(Final);
        row["rejected"] = Conversation(Response);
        return row;
    }

    /// <summary>For the journal.</summary>
    internal JsonObject ToJson() => new()
    {
        ["prompt"] = Prompt,
        ["response"] = Response,
        ["revisions"] = new JsonArray([.. Revisions.Select(revision => new JsonArray(revision.Principle,
            revision.Critique, revision.Text))]),
        ["truncated"] = Truncated,
        ["refusal"] = Refusal,
    };

    /// <summary>Out of the journal.</summary>
    internal static RevisedCompletion FromJson(JsonObject row) => new(
        row["prompt"]!.GetValue<string>(), row["response"]!.GetValue<string>(),
        [.. row["revisions"]!.AsArray()
            .Select(revision => new Revision(revision![0]!.GetValue<int>(), revision[1]!.GetValue<string>(),
                revision[2]!.GetValue<string>()))],
        row["truncated"]!.GetValue<int>(), row["refusal"]?.GetValue<string>());

    private JsonArray Conversation(string completion) =>
        JsonLines.Messages([new Message { Role = "user", Content = Prompt }, new Message { Role = "assistant", Content = completion }]);
}
