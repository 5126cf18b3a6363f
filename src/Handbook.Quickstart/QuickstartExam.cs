namespace Handbook.Quickstart;

/// <summary>One answer of an exam.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Said">What the model said.</param>
/// <param name="Grade">What it is worth.</param>
public sealed record ExamAnswer(QuickstartQuestion Question, string Said, AnswerGrade Grade);

/// <summary>A model's answers to all held-out questions.</summary>
/// <param name="Model">The model's name: the stage that made it.</param>
/// <param name="Answers">In the order of the questions.</param>
public sealed record QuickstartExam(string Model, IReadOnlyList<ExamAnswer> Answers)
{
    /// <summary>Share of exact answers, 0 to 1.</summary>
    public double Accuracy => Share(Answers, answer => answer.Grade.IsExact);

    /// <summary>Share of answers with the polite closing, 0 to 1.</summary>
    public double Politeness => Share(Answers, answer => answer.Grade.IsPolite);

    /// <summary>Tasks by name with their number of questions and share of exact answers.</summary>
    public IReadOnlyList<(string Task, int Questions, double Accuracy)> ByTask =>
    [
        .. Answers.GroupBy(answer => answer.Question.Task).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (group.Key, group.Count(), Share([.. group], answer => answer.Grade.IsExact))),
    ];

    /// <summary>Grades what a model said.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="questions">Held-out questions.</param>
    /// <param name="said">An answer to each.</param>
    public static QuickstartExam Of(string model, IReadOnlyList<QuickstartQuestion> questions, IReadOnlyList<string> said) => new(
        model, [.. questions.Zip(said, (question, text) => new ExamAnswer(question, text, AnswerCheck.Grade(text, question.Answer)))]);

    private static double Share(IReadOnlyList<ExamAnswer> answers, Func<ExamAnswer, bool> isSo) =>
        answers.Count == 0 ? 0 : (double)answers.Count(isSo) / answers.Count;
}
