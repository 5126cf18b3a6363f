using System.Globalization;
using Handbook.Reports.ModelCards;
using Handbook.Training.Runs;

namespace Handbook.Reports;

/// <summary>The pages that every run leaves in its folder.</summary>
public static class RunPages
{
    /// <summary>The model's card and the report.</summary>
    public static IReadOnlyList<RunPage> All { get; } =
    [
        new(ModelCard.FileName, run => RunModelCard.Of(run.Options, run.State, run.DataFacts, run.Versions).ToMarkdown()),
        new(RunReport.FileName, run => HtmlReport.Render(RunStage.Report(run.Options, run.State, run.DataFacts, Footer(run)))),
    ];

    private static string Footer(RunSummary run)
    {
        var versions = run.Versions.Where(made => made.Name != ".NET").Select(made => $"{made.Name} {made.Version}, ");
        return string.Concat(versions) + run.EndedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
    }
}
