using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Handbook.Chat;
using Handbook.Data.Examples;
using Handbook.Models.Generation;

namespace Handbook.Sampling.Scoring;

/// <summary>
/// Puts questions to a judge and reads its verdicts. A judge whose words hold none is asked once more, for the verdict alone; what
/// stays without one is told with the reason, and never taken for a verdict.
/// </summary>
/// <param name="judge">Who is asked.</param>
/// <param name="options">What is asked.</param>
internal sealed partial class JudgeDialogue(ISampler judge, JudgeOptions options)
{
    private const int MostWordsShown = 100;

    /// <summary>Why a question of the last call has no verdict; null when all have one.</summary>
    public string? Missing { get; private set; }

    /// <summary>Asks.</summary>
    /// <param name="questions">The questions.</param>
    /// <param name="read">Finds the verdict in what the judge says; null when there is none.</param>
    /// <param name="reminder">What is said to a judge that gave none.</param>
    /// <param name="stop">Ends it early.</param>
    /// <returns>The verdicts in the order of the questions.</returns>
    public async Task<IReadOnlyList<T?>> AskAsync<T>(
        IReadOnlyList<string> questions, Func<string, T?> read, string reminder, CancellationToken stop)
        where T : struct
    {
        Missing = null;
        var settings = new SampleSettings { MaxNewTokens = options.MaxNewTokens, Sampling = SamplingOptions.Greedy };
        var asked = questions.Select(Ask).ToList();
        var said = await judge.SampleAsync(asked, settings, null, stop).ConfigureAwait(false);
        var verdicts = said.Select(Read).ToArray();
        var unclear = Enumerable.Range(0, verdicts.Length).Where(i => verdicts[i] is null && said[i].Refusal is null).ToList();
        var again = unclear.Select(i => asked[i] with { Turns = Turns.Of([.. asked[i].Turns.Messages!, Said(said[i]),
            new Message { Role = "user", Content = reminder }]) }).ToList();
        var clearer = again.Count > 0 ? await judge.SampleAsync(again, settings, null, stop).ConfigureAwait(false) : [];
        foreach (var (number, i) in unclear.Index())
            verdicts[i] = Read(clearer[number]);
        foreach (var i in Enumerable.Range(0, verdicts.Length).Where(i => verdicts[i] is null))
            Missing = said[i].Refusal ?? $"there is no verdict in its words: {Shown(said[i].Completions[0].Text)}";
        return verdicts;

        T? Read(SampledPrompt words) => words.Refusal is null ? read(words.Completions[0].Text) : null;
    }

    /// <summary>A question of a template. One pass: braces in a completion or a column are text, whatever names they hold.</summary>
    /// <param name="template">The template.</param>
    /// <param name="prompt">The prompt that is judged by.</param>
    /// <param name="value">The value of a name of the template's own; null for one that is a column of the row.</param>
    public string Question(string template, PromptRow prompt, Func<string, string?> value) =>
        Fill(template, name => value(name) ?? (name == "prompt" ? Transcript(prompt) : prompt.Column(name)));

    /// <summary>A text of this program's own, with the scale.</summary>
    public string Fill(string template) => Fill(template, _ => null);

    /// <summary>A conversation as a judge reads it.</summary>
    public static string Transcript(Turns turns) => turns.Messages is not { } messages ? turns.Text!
        : messages is [{ Role: "user", Extra: null } only] ? only.Text
        : string.Join("\n\n",
            messages.Select(
                message =>
                    $"{message.Role}: {message.Text}{(message.Extra?["tool_calls"] is { } calls ? " " + calls.ToJsonString() : "")}"));

    private static string Transcript(PromptRow prompt) =>
        (prompt.Template.Tools is { Count: > 0 } tools ? $"tools: {tools.ToJsonString()}\n\n" : "") + Transcript(prompt.Turns);

    // The seed is the question's own: what else is asked, and when, does not matter.
    private static SamplePrompt Ask(string question) => new(
        Turns.Of([new Message { Role = "user", Content = question }]),
        BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(question))));

    private static Message Said(SampledPrompt said) => new() { Role = "assistant", Content = said.Completions[0].Text };

    private static string Shown(string words)
    {
        var line = words.ReplaceLineEndings(" ").Trim();
        return line.Length == 0 ? "it said nothing" : line.Length <= MostWordsShown ? line : "... " + line[^MostWordsShown..];
    }

    private string Fill(
        string template, Func<string, string?> value) => Placeholder().Replace(template, match => match.Groups[1].Value switch
    {
        "min_score" => options.MinScore.ToString(CultureInfo.InvariantCulture),
        "max_score" => options.MaxScore.ToString(CultureInfo.InvariantCulture),
        var name => value(name) ?? match.Value,
    });

    [GeneratedRegex(@"\{(\w+)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
