using System.Globalization;
using Handbook.Reports;
using Handbook.Sampling.Scoring;

namespace Handbook.Sampling.Constitutional;

/// <summary>What critique and revision gave, as a table for the terminal and as a page.</summary>
/// <param name="splits">The splits.</param>
/// <param name="options">What was asked for.</param>
public sealed class ConstitutionReport(IReadOnlyList<RevisedSplit> splits, ConstitutionOptions options)
{
    private const int ExamplesShown = 8;

    private List<RevisedCompletion> All { get; } = [.. splits.SelectMany(split => split.Completions)];

    /// <summary>Column names of the table.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "split", "prompts", "usable", "changed", "refused", "turns cut off", "words first", "words revised",
    ];

    /// <summary>A row a split.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows => [.. splits.Select(split => Row(split.Name, split.Completions))];

    /// <summary>The page. It names no time, so that a run which was stopped and went on writes the same one.</summary>
    public RunReport ToPage() => new()
    {
        Title = Path.GetFileName(Path.GetFullPath(options.OutputDirectory).TrimEnd(Path.DirectorySeparatorChar)),
        Subtitle = string.Create(CultureInfo.InvariantCulture,
            $"Constitutional AI: answers of {options.Policy.Name}, criticised and revised {Quantity.Of(options.RevisionRounds, "time")} "
                + $"under {Quantity.Of(options.Constitution.Principles.Count, "principle")}"),
        Headlines =
        [
            new("Prompts", Text(All.Count),
                string.Join(", ", splits.Select(split => FormattableString.Invariant($"{split.Completions.Count} {split.Name}")))),
            new("Changed by revision", Percent(All.Count(completion => completion.IsChanged)),
                "these can be preferred to the first answer"),
            new("Cut off", Text(All.Sum(completion => completion.Truncated)), "turns that reached their most tokens"),
        ],
        Overview =
        [
            new ReportTable { Title = "Splits", Columns = Columns, Rows = Rows },
            new Histogram { Title = "Length of answers", XLabel = "words",
                Samples = [("first", Words(completion => completion.Response)), ("revised", Words(completion => completion.Final))] },
            new BarChart
            {
                Title = "Principles",
                Note = "How often each was drawn, and how often the answer changed under it.",
                Series = ["drawn", "changed"],
                Groups = [.. options.Constitution.Principles.Select((_, i) => Drawn(i))],
            },
            new ReportTable
            {
                Title = "What the principles ask for",
                Columns = ["critique", "revision"],
                Rows =
                [
                    .. options.Constitution.Principles.Select((principle, i) => (IReadOnlyList<string>)[
                        $"{Text(i + 1)}. {principle.Critic}", principle.Revision]),
                ],
            },
            new ExampleAnswers { Title = "Before and after",
                Examples = [.. All.Where(completion => completion.IsUsable).Take(ExamplesShown).Select(Example)] },
        ],
        Footer = "handbook constitution",
    };

    private (string Name, IReadOnlyList<double?> Values) Drawn(int principle)
    {
        var drawn = All.Where(completion => completion.Revisions.Any(revision => revision.Principle == principle)).ToList();
        return (Text(principle + 1), [drawn.Count, drawn.Count(completion => completion.IsChanged)]);
    }

    private static ExampleAnswer Example(RevisedCompletion completion) => new(completion.Prompt, null,
        [("first", completion.Response, null),
            .. completion.Revisions.SelectMany(revision => new (string, string, bool?)[] { ("critique", revision.Critique, null),
                ("revision", revision.Text, null) })]);

    private static IReadOnlyList<string> Row(string name, IReadOnlyList<RevisedCompletion> completions)
    {
        var usable = completions.Where(completion => completion.IsUsable).ToList();
        return
        [
            name, Text(completions.Count), Text(usable.Count), Text(completions.Count(completion => completion.IsChanged)),
            Text(completions.Count(completion => completion.Refusal is not null)),
            Text(completions.Sum(completion => completion.Truncated)),
            Mean(usable.Select(completion => RuleTable.WordCount(completion.Response))),
            Mean(usable.Select(completion => RuleTable.WordCount(completion.Final))),
        ];
    }

    private double[] Words(Func<RevisedCompletion, string> text) =>
    [
        .. All.Where(completion => completion.IsUsable).Select(completion => (double)RuleTable.WordCount(text(completion))),
    ];

    private string Percent(int count) => ((double)count / All.Count).ToString("0.0 %", CultureInfo.InvariantCulture);

    private static string Mean(IEnumerable<int> values) => values.DefaultIfEmpty(0).Average().ToString("0.0", CultureInfo.InvariantCulture);

    private static string Text(int count) => count.ToString(CultureInfo.InvariantCulture);
}
