using System.Globalization;
using Handbook.Reports;
using Handbook.Sampling.Scoring;

namespace Handbook.Sampling;

/// <summary>What sampling gave, as a table for the terminal and as a page.</summary>
/// <param name="statistics">The numbers.</param>
/// <param name="groups">All candidates.</param>
/// <param name="options">What was asked for.</param>
public sealed class SamplingReport(SamplingStatistics statistics, IReadOnlyList<CandidateGroup> groups, SampleOptions options)
{
    private const int ExamplesShown = 10;

    /// <summary>Names and figures.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts
    {
        get
        {
            var (chosen, rejected) = statistics.PairWords;
            List<(string, string)> facts =
            [
                ("prompts", Text(statistics.Prompts)),
                ("answers", Text(statistics.Candidates)),
                ("accepted prompts", $"{Text(statistics.Accepted)} ({Percent(statistics.AcceptanceRate)})"),
                ("mean score", Mean(statistics.Scores)),
                ("mean score of the kept", Mean(statistics.BestScores)),
                ("preference pairs", Text(statistics.Pairs.Count)),
                ("mean margin", Mean([.. statistics.Pairs.Select(pair => pair.Margin)])),
                ("words, chosen and rejected",
                    statistics.Pairs.Count == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"{chosen:0.0} and {rejected:0.0}")),
                ("cut off", $"{Text(statistics.Truncated)} ({Percent(Share(statistics.Truncated))})"),
            ];
            if (statistics.Unscored > 0)
                facts.Add(("without a score", Text(statistics.Unscored)));
            if (statistics.Refused > 0)
                facts.Add(("prompts refused", Text(statistics.Refused)));
            return facts;
        }
    }

    /// <summary>The page. It names no time, so that a run which was stopped and went on writes the same one.</summary>
    public RunReport ToPage() => new()
    {
        Title = Path.GetFileName(Path.GetFullPath(options.OutputDirectory).TrimEnd(Path.DirectorySeparatorChar)),
        Subtitle = string.Create(CultureInfo.InvariantCulture,
            $"Rejection sampling: {Quantity.Of(options.Settings.Count, "answer")} to each of {Quantity.Of(statistics.Prompts, "prompt")} "
                + $"by {options.Policy.Name}, scored by {string.Join(" + ", options.Scorers.Select(scorer => scorer.Name))}"),
        Headlines =
        [
            new("Accepted prompts", Percent(statistics.AcceptanceRate), $"{statistics.Accepted} of {statistics.Prompts}"),
            new("Mean score", Mean(statistics.BestScores), $"of the kept; {Mean(statistics.Scores)} of all"),
            new("Preference pairs", Text(statistics.Pairs.Count), $"mean margin {Mean([.. statistics.Pairs.Select(pair => pair.Margin)])}"),
            new("Answers", Text(statistics.Candidates), $"{Percent(Share(statistics.Truncated))} cut off"),
        ],
        Overview = [.. Blocks()],
        Footer = "handbook sample",
    };

    private IEnumerable<ReportBlock> Blocks()
    {
        if (statistics.Scores.Count > 0)
            yield return new Histogram { Title = "Scores", XLabel = "score",
                Samples = [("all answers", statistics.Scores), ("kept", statistics.BestScores)] };
        if (statistics.ExpectedBest.Count > 1)
        {
            yield return new LineChart
            {
                Title = "Expected score of the best of n",
                Note = "What more answers a prompt would bring: where the curve is flat, fewer do.",
                XLabel = "n",
                Series =
                [
                    new Series("expected best", [.. statistics.ExpectedBest.Select((value, i) => (i + 1.0, value))],
                        IsSparse: statistics.ExpectedBest.Count <= 32),
                ],
            };
        }
        if (statistics.Pairs.Count > 0)
        {
            yield return new Histogram { Title = "Margins of the preference pairs",
                XLabel = "score of the chosen less score of the rejected",
                Samples = [("pairs", [.. statistics.Pairs.Select(pair => pair.Margin)])] };
            yield return new Histogram
            {
                Title = "Length of the preference pairs",
                Note = "When the chosen are much longer than the rejected, length is what is learned.",
                XLabel = "words",
                Samples = [("chosen", Words(pair => pair.Chosen)), ("rejected", Words(pair => pair.Rejected))],
            };
        }
        yield return new ReportTable { Title = "Scorers", Columns = ["scorer", "weight", "mean", "lowest", "highest", "without a score"],
            Rows = [.. options.Scorers.Select(ScorerRow)] };
        yield return new ReportTable { Title = "Settings", Columns = ["setting", "value"],
            Rows = [.. Settings().Select(setting => (IReadOnlyList<string>)[setting.Name, setting.Value])] };
        yield return new ExampleAnswers { Title = "Best and worst answers", Examples = [.. Examples()] };
        if (groups.FirstOrDefault(group => group.Refusal is not null) is { } refused)
            yield return new ReportTable { Title = "Prompts refused", Columns = ["prompt", "why"],
                Rows = [[refused.Prompt.Id, refused.Refusal!]], Note = $"The first of {statistics.Refused}." };
    }

    private IEnumerable<(string Name, string Value)> Settings()
    {
        var (sampling, selection) = (options.Settings.Sampling, options.Selection);
        yield return ("dataset", options.Prompts.Dataset.ToString());
        yield return ("answers a prompt", Text(options.Settings.Count));
        yield return ("most tokens", Text(options.Settings.MaxNewTokens));
        yield return ("temperature", Number(sampling.Temperature));
        yield return ("top_k, top_p, min_p", $"{Text(sampling.TopK)}, {Number(sampling.TopP)}, {Number(sampling.MinP)}");
        yield return ("repetition penalty", Number(sampling.RepetitionPenalty));
        yield return ("seed", Text(options.Seed));
        yield return ("kept a prompt",
            $"{Text(selection.KeepBest)}{(selection.MinScore is { } least ? ", score at least " + Number(least) : "")}");
        yield return ("pairs a prompt", $"{Text(selection.PairsPerPrompt)}, margin at least {Number(selection.MinMargin)}");
    }

    private IReadOnlyList<string> ScorerRow(ScorerOptions scorer, int index)
    {
        var all = groups.SelectMany(group => group.Candidates).Select(candidate => candidate.Scores[index]).ToList();
        var given = all.OfType<double>().ToList();
        return
        [
            scorer.Name, Number(scorer.Weight), Mean(given), given.Count > 0 ? Number(given.Min()) : "",
            given.Count > 0 ? Number(given.Max()) : "", Text(all.Count - given.Count),
        ];
    }

    private IEnumerable<ExampleAnswer> Examples(
        ) => groups.Where(group => group.Candidates.Any(candidate => candidate.Score is not null)).Take(ExamplesShown).Select(group =>
    {
        var ranked = group.Candidates.Where(candidate => candidate.Score is not null).OrderByDescending(candidate => candidate.Score)
            .ThenBy(candidate => candidate.Sample).ToList();
        var shown = ranked.Count == 1 ? [("only", ranked[0])] : new[] { ("best", ranked[0]), ("worst", ranked[^1]) };
        return new ExampleAnswer(JudgeDialogue.Transcript(group.Prompt.Turns), null,
            [.. shown.Select(one => ($"{one.Item1} {Number(one.Item2.Score!.Value)}", one.Item2.Completion.Said, (bool?)null))]);
    });

    private double[] Words(Func<CandidatePair, Candidate> side) =>
    [
        .. statistics.Pairs.Select(pair => (double)RuleTable.WordCount(side(pair).Completion.Text)),
    ];

    private double Share(int count) => (double)count / Math.Max(1, statistics.Candidates);

    private static string Mean(IReadOnlyList<double> values) => values.Count > 0 ? Number(values.Average()) : "none";

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);

    private static string Text(int count) => count.ToString(CultureInfo.InvariantCulture);
}
