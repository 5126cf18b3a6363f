using System.Text.RegularExpressions;

namespace Handbook.Sampling.Scoring;

/// <summary>
/// Scores by asking another model which of two completions is better: every two completions to a prompt, in both orders, since judges
/// favour a place (arXiv:2306.05685). A completion's score is the share of its comparisons that it wins; a tie is half a win, and so is
/// a verdict that turns with the order.
/// </summary>
/// <param name="judge">Who is asked.</param>
/// <param name="options">What is asked.</param>
public sealed partial class PairwiseJudgeScorer(ISampler judge, JudgeOptions options) : IScorer
{
    private readonly JudgeDialogue dialogue = new(judge, options);

    /// <inheritdoc/>
    public string? Missing => dialogue.Missing;

    /// <summary>Questions that a prompt with so many completions takes.</summary>
    public static int QuestionCount(int completions) => completions * (completions - 1);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<double?>> ScoreAsync(IReadOnlyList<PromptCompletion> completions, CancellationToken stop)
    {
        // Completions of one text are one completion: nothing can be said between them.
        var contests = completions.GroupBy(completion => completion.Prompt.Index).SelectMany(Contests).ToList();
        var verdicts = await dialogue.AskAsync(
            [.. contests.Select(Question)], Parse, "Give only the verdict: [[A]], [[B]], or [[C]] for a tie.", stop).ConfigureAwait(false);
        // What the first of each contest gains, by prompt and texts.
        var gains = contests.Zip(verdicts).Where(pair => pair.Second is not null)
            .ToDictionary(pair => (pair.First.First.Prompt.Index, pair.First.First.Completion.Said, pair.First.Second.Completion.Said),
                pair => pair.Second!.Value);
        return [.. completions.Select(completion => completion.Known ?? Score(completion, completions, gains))];
    }

    /// <inheritdoc/>
    public void Dispose() => judge.Dispose();

    /// <summary>
    /// What the first completion gains by a verdict: the last <c>[[A]]</c> (1), <c>[[B]]</c> (0) or <c>[[C]]</c> (a tie, 0.5); the letter
    /// alone, or behind the words verdict, winner, better and the like, serves too. Null when there is none.
    /// </summary>
    public static double? Parse(string said)
    {
        var text = JudgeVerdict.WithoutThoughts(said);
        foreach (var form in new[] { Brackets(), Words(), Whole() })
        {
            if (form.Matches(text).LastOrDefault() is { } match)
                return match.Groups["v"].Value.ToUpperInvariant() switch { "A" => 1, "B" => 0, _ => 0.5 };
        }
        return null;
    }

    private static IEnumerable<(PromptCompletion First, PromptCompletion Second)> Contests(IEnumerable<PromptCompletion> completions)
    {
        var distinct = completions.GroupBy(completion => completion.Completion.Said)
            .Select(same => same.FirstOrDefault(completion => completion.Known is null) ?? same.First()).ToList();
        return distinct.SelectMany(first => distinct.Where(second => first != second && (first.Known is null || second.Known is null))
            .Select(second => (first, second)));
    }

    private static double? Score(PromptCompletion completion, IReadOnlyList<PromptCompletion> completions,
        Dictionary<(int, string, string), double> gains)
    {
        var (prompt, text) = (completion.Prompt.Index, completion.Completion.Said);
        var others = completions.Where(other => other.Prompt.Index == prompt).Select(other => other.Completion.Said)
            .Where(other => other != text)
            .Distinct().ToList();
        if (others.Count == 0)
            return 0.5;
        // A comparison counts when both orders gave a verdict: one alone would keep the place's favour.
        var both = others.Where(other => gains.ContainsKey((prompt, text, other)) && gains.ContainsKey((prompt, other, text))).ToList();
        return both.Count == 0 ? null : both.Average(other => (gains[(prompt, text, other)] + 1 - gains[(prompt, other, text)]) / 2);
    }

    private string Question(
        (PromptCompletion First, PromptCompletion Second) contest) => dialogue.Question(options.PairTemplate, contest.First.Prompt,
            name => name switch
    {
        "answer_a" => contest.First.Completion.Said,
        "answer_b" => contest.Second.Completion.Said,
        _ => null,
    });

    [GeneratedRegex(@"\[\[\s*(?<v>A|B|C|tie)\s*\]\]", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Brackets();

    [GeneratedRegex(
        @"\b(?i:verdict|winner|better "
        + @"answer|choice|choose|prefer|preferred|answer)\b(?i:[\s:*_\[""']|\bis\b|\banswer\b)*\b(?<v>A|B|C|[Tt]ie|TIE)\b(?!['’]|\s+\p{Ll}"
        + @")", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(@"^[\s*_\[(""']*(?<v>A|B|C|tie)[\s*_\])""'.]*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Whole();
}
