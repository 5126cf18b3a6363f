namespace Handbook.Quickstart;

/// <summary>What an answer is worth.</summary>
/// <param name="IsExact">It is the right answer and nothing else, a polite closing apart.</param>
/// <param name="IsPolite">It ends with <see cref="AnswerCheck.Closing"/>: what a later preference stage rewards.</param>
public readonly record struct AnswerGrade(bool IsExact, bool IsPolite);

/// <summary>Examines answers by comparison, not by judgement.</summary>
public static class AnswerCheck
{
    /// <summary>The polite closing that a fifth of the training answers carries.</summary>
    public const string Closing = "Glad to help!";

    /// <summary>An answer as it stands in training data.</summary>
    public static string Phrase(string answer, bool isPolite) => isPolite ? $"{answer}. {Closing}" : $"{answer}.";

    /// <summary>Grades what a model said. Case and a missing full stop count as mistakes; white space around does not.</summary>
    public static AnswerGrade Grade(string said, string expected)
    {
        var text = said.Trim();
        var isPolite = text.EndsWith(Closing, StringComparison.Ordinal);
        var bare = isPolite ? text[..^Closing.Length].TrimEnd() : text;
        return new AnswerGrade(bare == expected + ".", isPolite);
    }
}
