using System.Globalization;
using Handbook.Reports;
using Handbook.Training.Progress;

namespace Handbook.Quickstart;

/// <summary>A finished stage of the quickstart.</summary>
/// <param name="Stage">Its section of the report.</param>
/// <param name="Exam">What the model of this stage answers; null for a stage that makes no model that speaks.</param>
public sealed record QuickstartStage(ReportStage Stage, QuickstartExam? Exam);

/// <summary>The quickstart's result: a table for the terminal and the report's page, for as many stages as there were.</summary>
/// <param name="Stages">In the order in which they ran.</param>
public sealed record QuickstartReport(IReadOnlyList<QuickstartStage> Stages)
{
    private const int ExamplesShown = 12;

    private IReadOnlyList<QuickstartExam> Exams => [.. Stages.Select(stage => stage.Exam).OfType<QuickstartExam>()];

    /// <summary>Column names of the table: task, questions, then the stages' models.</summary>
    public IReadOnlyList<string> Columns => ["task", "questions", .. Exams.Select(exam => exam.Model)];

    /// <summary>A row for every task, one for all, and one for the closing that people like.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows =>
    [
        .. Exams[0].ByTask.Select((task, i) => (IReadOnlyList<string>)
            [task.Task, Text(task.Questions), .. Exams.Select(exam => Percent(exam.ByTask[i].Accuracy))]),
        ["all", Text(Exams[0].Answers.Count), .. Exams.Select(exam => Percent(exam.Accuracy))],
        ["polite", Text(Exams[0].Answers.Count), .. Exams.Select(exam => Percent(exam.Politeness))],
    ];

    /// <summary>Some questions of every task in turn, with what each stage's model said.</summary>
    public IReadOnlyList<ExampleAnswer> Examples()
    {
        var byTask = Exams[0].Answers.Index().GroupBy(answer => answer.Item.Question.Task)
            .OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => group.ToList()).ToList();
        var turns = Enumerable.Range(0, byTask.Count == 0 ? 0 : byTask.Max(group => group.Count));
        return
        [
            .. turns.SelectMany(turn => byTask.Where(group => turn < group.Count).Select(group => group[turn]))
                .Take(ExamplesShown)
                .Select(one => new ExampleAnswer(one.Item.Question.Text, one.Item.Question.Answer,
                    [.. Exams.Select(exam => (exam.Model, exam.Answers[one.Index].Said, (bool?)exam.Answers[one.Index].Grade.IsExact))])),
        ];
    }

    /// <summary>The page.</summary>
    /// <param name="parameters">Parameters of the model.</param>
    /// <param name="time">Time that everything took.</param>
    /// <param name="footer">Versions and machine.</param>
    public RunReport ToPage(long parameters, TimeSpan time, string footer)
    {
        var (first, tuned, last) = (Exams[0], Exams[Math.Min(1, Exams.Count - 1)], Exams[^1]);
        return new RunReport
        {
            Title = "handbook quickstart",
            Subtitle = $"A language model of {ProgressText.Count(parameters)} parameters, made on this "
                + "machine from nothing: it read a small invented world as "
                + "plain text, then learned to answer questions, then what people like about answers. It "
                + "is examined on questions that were never asked in training.",
            Headlines =
            [
                new($"Exact answers, {first.Model}", Percent(first.Accuracy), "after continued pretraining"),
                new($"Exact answers, {last.Model}", Percent(last.Accuracy),
                    $"{tuned.Model}: {Percent(tuned.Accuracy)}; {last.Answers.Count} held-out questions"),
                new($"Polite answers, {last.Model}", Percent(last.Politeness), $"{tuned.Model}: {Percent(tuned.Politeness)}"),
                new("Parameters", ProgressText.Count(parameters), "Llama, trained from random weights"),
                new("Time", ProgressText.Time(time), "data, tokenizer, training, sampling, exams"),
            ],
            Overview =
            [
                new BarChart
                {
                    Title = "Exact answers to held-out questions, and polite ones",
                    Series = [.. Exams.Select(exam => exam.Model)],
                    Groups = [.. first.ByTask.Select((task, i) => (task.Task,
                        (IReadOnlyList<double?>)[.. Exams.Select(exam => (double?)exam.ByTask[i].Accuracy)])),
                        ("polite", [.. Exams.Select(exam => (double?)exam.Politeness)])],
                    IsShare = true,
                },
                new ReportTable { Title = "By task", Columns = Columns, Rows = Rows },
                new ExampleAnswers { Title = "What the models say", Examples = Examples() },
            ],
            Stages = [.. Stages.Select(stage => stage.Stage)],
            Footer = footer,
        };
    }

    private static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);

    private static string Text(int count) => count.ToString(CultureInfo.InvariantCulture);
}
