using System.Globalization;
using Handbook.Training.Progress;
using Handbook.Training.Reports;

namespace Handbook.Training.Quickstart;

/// <summary>A finished stage of the quickstart.</summary>
/// <param name="Stage">Its section of the report.</param>
/// <param name="Exam">What the model of this stage answers.</param>
public sealed record QuickstartStage(ReportStage Stage, QuickstartExam Exam);

/// <summary>The quickstart's result: a table for the terminal and the report's page, for as many stages as there were.</summary>
/// <param name="Stages">In the order in which they ran.</param>
public sealed record QuickstartReport(IReadOnlyList<QuickstartStage> Stages)
{
    private const int ExamplesShown = 12;

    /// <summary>Column names of the table: task, questions, then the stages' models.</summary>
    public IReadOnlyList<string> Columns => ["task", "questions", .. Stages.Select(stage => stage.Exam.Model)];

    /// <summary>A row for every task and one for all.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows =>
    [
        .. Stages[0].Exam.ByTask.Select((task, i) => (IReadOnlyList<string>)
            [task.Task, Text(task.Questions), .. Stages.Select(stage => Percent(stage.Exam.ByTask[i].Accuracy))]),
        ["all", Text(Stages[0].Exam.Answers.Count), .. Stages.Select(stage => Percent(stage.Exam.Accuracy))],
    ];

    /// <summary>Some questions of every task in turn, with what each stage's model said.</summary>
    public IReadOnlyList<ExampleAnswer> Examples()
    {
        var byTask = Stages[0].Exam.Answers.Index().GroupBy(answer => answer.Item.Question.Task)
            .OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => group.ToList()).ToList();
        var turns = Enumerable.Range(0, byTask.Count == 0 ? 0 : byTask.Max(group => group.Count));
        return
        [
            .. turns.SelectMany(turn => byTask.Where(group => turn < group.Count).Select(group => group[turn]))
                .Take(ExamplesShown)
                .Select(one => new ExampleAnswer(one.Item.Question.Text, one.Item.Question.Answer,
                    [.. Stages.Select(stage => (stage.Exam.Model, stage.Exam.Answers[one.Index].Said, (bool?)stage.Exam.Answers[one.Index].Grade.IsExact))])),
        ];
    }

    /// <summary>The page.</summary>
    /// <param name="parameters">Parameters of the model.</param>
    /// <param name="time">Time that everything took.</param>
    /// <param name="footer">Versions and machine.</param>
    public RunReport ToPage(long parameters, TimeSpan time, string footer)
    {
        var (first, last) = (Stages[0].Exam, Stages[^1].Exam);
        return new RunReport
        {
            Title = "handbook quickstart",
            Subtitle = $"A language model of {ProgressText.Count(parameters)} parameters, made on this machine from nothing: it read a small invented world as "
                + "plain text, then learned to answer questions. It is examined on questions that were never asked in training.",
            Headlines =
            [
                new($"Exact answers, {first.Model}", Percent(first.Accuracy), "after continued pretraining"),
                new($"Exact answers, {last.Model}", Percent(last.Accuracy), $"{last.Answers.Count} held-out questions"),
                new("Parameters", ProgressText.Count(parameters), "Llama, trained from random weights"),
                new("Time", ProgressText.Time(time), "data, tokenizer, training, exams"),
            ],
            Overview =
            [
                new BarChart
                {
                    Title = "Exact answers to held-out questions",
                    Series = [.. Stages.Select(stage => stage.Exam.Model)],
                    Groups = [.. first.ByTask.Select((task, i) => (task.Task, (IReadOnlyList<double?>)[.. Stages.Select(stage => (double?)stage.Exam.ByTask[i].Accuracy)]))],
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
