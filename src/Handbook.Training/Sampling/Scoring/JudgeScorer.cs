using System.Globalization;
using System.Text.RegularExpressions;
using Handbook.Data.Examples;
using Handbook.Models.Generation;
using Handbook.Text.Conversations;

namespace Handbook.Training.Sampling.Scoring;

/// <summary>
/// Scores by asking another model. Each answer is rated alone, never beside another one, so that no answer gains from the place it
/// stands at. A judge whose words hold no rating is asked once more for the rating alone; an answer without one stays unscored.
/// </summary>
/// <param name="judge">Who is asked.</param>
/// <param name="options">What is asked.</param>
public sealed partial class JudgeScorer(ISampler judge, JudgeOptions options) : IScorer
{
    private const ulong Seed = 0x6A75646765;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptAnswer> answers, CancellationToken stop)
    {
        var settings = new SampleSettings { MaxNewTokens = options.MaxNewTokens, Sampling = SamplingOptions.Greedy };
        var questions = answers.Select((answer, i) => Ask(Seeds.Of(Seed, i), Question(answer))).ToList();
        var said = await judge.SampleAsync(questions, settings, null, stop).ConfigureAwait(false);
        var scores = said.Select(Parse).ToArray();
        var unclear = Enumerable.Range(0, scores.Length).Where(i => scores[i] is null && said[i].Refusal is null).ToList();
        if (unclear.Count == 0)
            return scores;
        var again = unclear.Select(i => questions[i] with
        {
            Turns = Turns.Of(
            [
                .. questions[i].Turns.Messages!,
                new Message { Role = "assistant", Content = said[i].Answers[0].Text },
                new Message { Role = "user", Content = Fill("Give only the rating, from {min_score} to {max_score}, in exactly this form: Rating: [[N]]", _ => null) },
            ]),
        }).ToList();
        var clearer = await judge.SampleAsync(again, settings, null, stop).ConfigureAwait(false);
        foreach (var (number, i) in unclear.Index())
            scores[i] = Parse(clearer[number]);
        return scores;
    }

    /// <inheritdoc/>
    public void Dispose() => judge.Dispose();

    /// <summary>A conversation as a judge reads it.</summary>
    public static string Transcript(Turns turns) => turns.Messages is not { } messages ? turns.Text!
        : messages is [{ Role: "user" } only] ? only.Content ?? ""
        : string.Join("\n\n", messages.Select(message => $"{message.Role}: {message.Text}"));

    private static SamplePrompt Ask(ulong seed, string question) => new(Turns.Of([new Message { Role = "user", Content = question }]), seed);

    private double? Parse(SampledPrompt said) => said.Refusal is null ? JudgeVerdict.Parse(said.Answers[0].Text, options.MinScore, options.MaxScore) : null;

    private string Question(PromptAnswer answer) => Fill(options.Template, name => name switch
    {
        "prompt" => Transcript(answer.Prompt.Turns),
        "answer" => answer.Text,
        _ => answer.Prompt.Column(name),
    });

    // One pass: braces in an answer or a column are text, whatever names they hold.
    private string Fill(string template, Func<string, string?> value) => Placeholder().Replace(template, match => match.Groups[1].Value switch
    {
        "min_score" => options.MinScore.ToString(CultureInfo.InvariantCulture),
        "max_score" => options.MaxScore.ToString(CultureInfo.InvariantCulture),
        var name => value(name) ?? match.Value,
    });

    [GeneratedRegex(@"\{(\w+)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
