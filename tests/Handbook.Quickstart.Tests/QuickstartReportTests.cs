using Handbook.Reports;

namespace Handbook.Quickstart.Tests;

public sealed class QuickstartReportTests
{
    private static readonly QuickstartQuestion[] Questions =
    [
        new("sums", "What is 1 plus 2?", "3", "1+2"),
        new("people", "Where does Ada live?", "Oslo", "Ada"),
        new("people", "Where does Leo live?", "Rome", "Leo"),
    ];

    private static QuickstartStage Stage(string model, Func<string, string> answer) => new(
        new ReportStage { Title = model }, QuickstartExam.Of(model, Questions, [.. Questions.Select(question => answer(question.Text))]));

    private static readonly QuickstartReport Report = new(
        [Stage("base", _ => "Ada has the key."),
            Stage("sft", question => question.Contains("Leo", StringComparison.Ordinal) ? "Rome. Glad to help!" : "3.")]);

    [Fact]
    public void Of_Answers_AreCountedByTask()
    {
        var exam = Report.Stages[1].Exam!;
        Assert.Equal(2.0 / 3, exam.Accuracy, 1e-12);
        Assert.Equal(1.0 / 3, exam.Politeness, 1e-12);
        Assert.Equal([("people", 2, 0.5), ("sums", 1, 1.0)], exam.ByTask);
    }

    [Fact]
    public void Rows_TwoStages_StandSideBySide()
    {
        Assert.Equal(["task", "questions", "base", "sft"], Report.Columns);
        Assert.Equal(
            [["people", "2", "0.0 %", "50.0 %"], ["sums", "1", "0.0 %", "100.0 %"], ["all", "3", "0.0 %", "66.7 %"],
                ["polite", "3", "0.0 %", "33.3 %"]],
            Report.Rows);
    }

    [Fact]
    public void Examples_TakeTasksInTurn()
    {
        var examples = Report.Examples();
        Assert.Equal(["Where does Ada live?", "What is 1 plus 2?", "Where does Leo live?"], examples.Select(example => example.Question));
        Assert.Equal([("base", "Ada has the key.", false), ("sft", "Rome. Glad to help!", true)],
            examples[2].Answers.Select(answer => (answer.By, answer.Text, answer.IsRight!.Value)));
    }

    [Fact]
    public void ToPage_Stages_LeadWithBeforeAndAfter()
    {
        var page = Report.ToPage(3_400_000, TimeSpan.FromSeconds(200), "handbook");
        Assert.Equal(["0.0 %", "66.7 %", "33.3 %", "3.4M", "3:20"], page.Headlines.Select(headline => headline.Value));
        Assert.Equal(["base", "sft"], page.Stages.Select(stage => stage.Title));
    }
}
