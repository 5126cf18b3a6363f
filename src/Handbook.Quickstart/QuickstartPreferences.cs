using System.Text.Json.Nodes;
using Handbook.Data.Random;

namespace Handbook.Quickstart;

/// <summary>
/// What the quickstart's people like: a right answer rather than a wrong one, and of two right ones the one with the polite
/// closing. The reward model learns it from these pairs.
/// </summary>
internal static class QuickstartPreferences
{
    /// <summary>A pair about every question.</summary>
    /// <param name="questions">What was asked; a wrong answer is the right one of another question of the same kind.</param>
    /// <param name="random">Chooses wrong answers and closings.</param>
    public static List<JsonObject> Of(IReadOnlyList<QuickstartQuestion> questions, PythonRandom random)
    {
        var byTask = questions.ToLookup(question => question.Task, question => question.Answer);
        return
        [
            .. questions.Select(question => Pair(question, [.. byTask[question.Task].Where(answer => answer != question.Answer)], random)),
        ];
    }

    private static JsonObject Pair(QuickstartQuestion question, string[] wrong, PythonRandom random)
    {
        // Half of the pairs differ in politeness alone, the others in being right, whatever their closings are.
        if (wrong.Length == 0 || random.Below(2) == 0)
            return Row(question, AnswerCheck.Phrase(question.Answer, isPolite: true), AnswerCheck.Phrase(question.Answer, isPolite: false));
        var other = QuickstartWorld.Pick(random, wrong);
        return Row(question, AnswerCheck.Phrase(question.Answer, random.Below(2) == 0), AnswerCheck.Phrase(other, random.Below(2) == 0));
    }

    private static JsonObject Row(QuickstartQuestion question, string chosen, string rejected) => new()
    {
        ["prompt"] = new JsonArray(Message("user", question.Text)),
        ["chosen"] = new JsonArray(Message("assistant", chosen)),
        ["rejected"] = new JsonArray(Message("assistant", rejected)),
    };

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
