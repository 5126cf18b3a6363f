using System.Globalization;
using Handbook.Reports;

namespace Handbook.Sampling;

/// <summary>Rounds side by side: whether the model that was trained completes better than the one before it.</summary>
public static class RoundsReport
{
    /// <summary>Column names of the table.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "round", "prompts", "accepted", "mean score", "mean score of the kept", "pairs", "mean margin",
    ];

    /// <summary>A row a round.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Rows(RoundsResult result) =>
    [
        .. result.Rounds.Select((round, i) => (IReadOnlyList<string>)
        [
            (i + 1).ToString(CultureInfo.InvariantCulture), round.Statistics.Prompts.ToString(CultureInfo.InvariantCulture),
            round.Statistics.AcceptanceRate.ToString("0.0 %", CultureInfo.InvariantCulture), Mean(round.Statistics.Scores),
            Mean(round.Statistics.BestScores),
            round.Statistics.Pairs.Count.ToString(CultureInfo.InvariantCulture),
            Mean([.. round.Statistics.Pairs.Select(pair => pair.Margin)]),
        ]),
    ];

    /// <summary>The page. It names no time, so that rounds which were stopped and went on write the same one.</summary>
    public static RunReport Of(RoundsResult result, SampleOptions options) => new()
    {
        Title = Path.GetFileName(Path.GetFullPath(options.OutputDirectory).TrimEnd(Path.DirectorySeparatorChar)),
        Subtitle = FormattableString.Invariant(
            $"{Quantity.Of(result.Rounds.Count, "round")} of sampling and training, from {options.Policy.Name}"),
        Headlines =
        [
            new("Mean score", Mean(result.Rounds[^1].Statistics.Scores),
                $"of all answers in the last round; {Mean(result.Rounds[0].Statistics.Scores)} in the first"),
            new("Accepted prompts", result.Rounds[^1].Statistics.AcceptanceRate.ToString("0.0 %", CultureInfo.InvariantCulture),
                "in the last round"),
        ],
        Overview =
        [
            new LineChart
            {
                Title = "Score by round",
                Note = "All answers of a round, before anything is chosen: what training the round before has brought.",
                XLabel = "round",
                Series =
                [
                    Curve("all answers", result, statistics => statistics.Scores),
                    Curve("kept", result, statistics => statistics.BestScores),
                ],
            },
            new ReportTable { Title = "Rounds", Columns = Columns, Rows = Rows(result) },
        ],
        Stages =
        [
            .. result.Rounds.Select((round, i) => Stage(i + 1, round.Report.Facts, round.Report.ToPage())),
        ],
        Footer = "handbook sample",
    };

    private static ReportStage Stage(int round, IReadOnlyList<(string Name, string Value)> facts, RunReport page) => new()
    {
        Title = FormattableString.Invariant($"Round {round}"),
        Description = page.Subtitle,
        Facts = facts,
        Blocks = page.Overview,
    };

    private static Series Curve(string name, RoundsResult result, Func<SamplingStatistics, IReadOnlyList<double>> values) => new(
        name, [.. result.Rounds.Index().Where(round => values(round.Item.Statistics).Count > 0)
            .Select(round => (round.Index + 1.0, values(round.Item.Statistics).Average()))], IsSparse: true);

    private static string Mean(IReadOnlyList<double> values) =>
        values.Count > 0 ? values.Average().ToString("0.###", CultureInfo.InvariantCulture) : "none";
}
