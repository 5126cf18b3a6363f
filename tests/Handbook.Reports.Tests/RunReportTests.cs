using System.Xml.Linq;
using Handbook.TestSupport;
using Handbook.Training.Artefacts;

namespace Handbook.Reports.Tests;

public sealed class RunReportTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A page with every kind of block: what a preference stage will show included.</summary>
    public static RunReport Sample()
    {
        var random = new Random(5);
        var log = Enumerable.Range(1, 400).SelectMany(step => Rows(step, random)).ToList();
        return new RunReport
        {
            Title = "From noise to answers",
            Subtitle =
                "A language model of 3.4 million parameters, trained on this machine from "
                + "nothing, first on text, then on questions with answers.",
            Headlines =
            [
                new("Exact answers, before", "0.4 %", "continued pretraining only"),
                new("Exact answers, after", "91.2 %", "supervised fine-tuning"),
                new("Time", "3:52", "2 CPU cores"),
                new("Speed", "14.2k tok/s", "bf16"),
            ],
            Overview =
            [
                new BarChart
                {
                    Title = "Exact answers on held-out questions",
                    Series = ["base", "sft"],
                    Groups = [("people", [0, 0.93]), ("sums", [0.02, 0.88]), ("plurals", [0, 0.8]), ("reading", [0.01, 0.97])],
                    IsShare = true,
                },
                new LineChart { Title = "Learning rate",
                    Series = [new("learning_rate", [.. Enumerable.Range(1, 200).Select(i => ((double)i, 1e-3 * (200 - i) / 200))])] },
            ],
            Stages =
            [
                new ReportStage
                {
                    Title = "Preference tuning",
                    Description = "The model learns which of two answers people prefer.",
                    Facts = [("examples", "2,000"), ("learning rate", "5.0e-07"), ("beta", "0.1")],
                    Blocks =
                    [
                        .. RunCurves.Of(log),
                        new Histogram
                        {
                            Title = "Reward margins",
                            XLabel = "margin",
                            Samples = [("before", [.. Normals(random, 0)]), ("after", [.. Normals(random, 2)])],
                        },
                        new ReportTable
                        {
                            Title = "Results",
                            Columns = ["task", "questions", "base", "sft"],
                            Rows = [["people", "120", "0.0 %", "93.3 %"], ["sums", "42", "2.4 %", "88.1 %"]],
                        },
                        new ExampleAnswers
                        {
                            Title = "Answers",
                            Examples =
                            [
                                new("Where does Mira live?", "Oslo", [("base", "Mira lives in the Anna.", false), ("sft", "Oslo", true)]),
                                new("<script>alert(1)</script>", null, [("sft", "<b>&\"quoted\"</b>", null)]),
                            ],
                        },
                    ],
                },
            ],
            Footer = "handbook 0.1.0",
        };
    }

    [Fact]
    public void Save_EveryBlock_IsWellFormedAndSelfContained()
    {
        var path = folder.File(RunReport.FileName);
        Sample().Save(path);
        var text = File.ReadAllText(path);
        if (Environment.GetEnvironmentVariable("HANDBOOK_KEEP_REPORT") is { Length: > 0 } kept)
            File.Copy(path, kept, overwrite: true);
        Assert.DoesNotContain("src=", text, StringComparison.Ordinal);
        Assert.DoesNotContain("http", text.Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", text, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", text, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        var body = text[text.IndexOf("<main>", StringComparison.Ordinal)..(text.IndexOf("</main>", StringComparison.Ordinal) + 7)];
        var page = XElement.Parse(body);
        Assert.Equal(7 + 3, page.Descendants("svg").Count());
    }

    [Fact]
    public void Of_Log_GroupsWhatBelongsTogether()
    {
        var charts = RunCurves.Of([.. Enumerable.Range(1, 3).SelectMany(step => Rows(step * 50, new Random(1)))]);
        var loss = Assert.IsType<LineChart>(charts[0]);
        Assert.Equal(["loss", "eval_loss"], loss.Series.Select(series => series.Name));
        Assert.True(loss.Series[1].IsSparse);
        Assert.Equal(["Loss", "Token accuracy", "Rewards", "Reward margins", "Gradient norm", "Learning rate", "kl"],
            charts.Select(chart => chart.Title));
    }

    [Fact]
    public void Render_NoPointsOrOnePoint_StillDraws()
    {
        var report = new RunReport
        {
            Title = "t",
            Overview =
            [
                new LineChart { Title = "empty", Series = [new("a", [])] },
                new LineChart { Title = "one", Series = [new("a", [(1, 2)])], IsLogarithmic = true },
                new LineChart { Title = "flat", Series = [new("a", [(1, 0), (2, 0), (3, double.NaN)])] },
                new Histogram { Title = "none", Samples = [("a", [])] },
                new BarChart { Title = "none", Series = ["a"], Groups = [] },
            ],
        };
        var text = HtmlReportText(report);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", text.Replace("-Infinity", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private string HtmlReportText(RunReport report)
    {
        report.Save(folder.File("page.html"));
        return File.ReadAllText(folder.File("page.html"));
    }

    private static IEnumerable<MetricsRow> Rows(int step, Random random)
    {
        var noise = random.NextDouble() * 0.2;
        yield return MetricsRow.Of(step, step / 400.0,
            ("loss", 4 * Math.Exp(-step / 90.0) + 0.7 + noise), ("grad_norm", 1 + 3 * noise),
            ("learning_rate", 5e-7 * (400 - step) / 400.0),
            ("mean_token_accuracy", 0.9 - 0.5 * Math.Exp(-step / 90.0)), ("rewards/chosen", step / 400.0),
            ("rewards/rejected", -step / 200.0 - noise),
            ("rewards/margins", step / 130.0), ("kl", noise));
        if (step % 50 == 0)
            yield return MetricsRow.Of(step, step / 400.0, ("eval_loss", 4 * Math.Exp(-step / 90.0) + 0.9), ("eval_runtime", 2));
    }

    private static IEnumerable<double> Normals(Random random, double mean) =>
        Enumerable.Range(0, 500).Select(_ => mean + Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6);
}
