using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Handbook.Sampling.Scoring;

/// <summary>A checkable property of a completion.</summary>
/// <param name="Name">What stands before the colon.</param>
/// <param name="Argument">What the argument is, in a word; null when there is none.</param>
/// <param name="Doc">What it gives, in a sentence.</param>
/// <param name="Create">Makes the check from its argument.</param>
public sealed record RuleRow(string Name, string? Argument, string Doc, Func<string, Func<PromptCompletion, double>> Create)
{
    /// <summary>As it is written in a recipe: <c>max_words:N</c>.</summary>
    public string Usage => Argument is null ? Name : $"{Name}:{Argument}";
}

/// <summary>The rules by name. None of them runs code; patterns are matched in linear time.</summary>
public static partial class RuleTable
{
    /// <summary>What the argument is of a rule that looks into a column of the row.</summary>
    public const string Column = "COLUMN";

    /// <summary>The rows.</summary>
    public static IReadOnlyList<RuleRow> Rows { get; } =
    [
        new("exact", Column, "1 when the answer is the row's column, white space around both aside.",
            column => completion => Truth(completion.Text.Trim() == Expected(completion, column).Trim())),
        new("number", Column, "1 when the last number of the answer is the last number of the row's column, as in GSM8K.",
            column => completion => Truth(LastNumber(completion.Text) is { } number && number == LastNumber(Expected(completion, column)))),
        new("contains", "TEXT", "1 when the text occurs in the answer.",
            text => completion => Truth(completion.Text.Contains(text, StringComparison.Ordinal))),
        new("excludes", "TEXT", "1 when the text does not occur in the answer.",
            text => completion => Truth(!completion.Text.Contains(text, StringComparison.Ordinal))),
        new("starts_with", "TEXT", "1 when the answer starts with the text.",
            text => completion => Truth(completion.Text.TrimStart().StartsWith(text, StringComparison.Ordinal))),
        new("ends_with", "TEXT", "1 when the answer ends with the text.",
            text => completion => Truth(completion.Text.TrimEnd().EndsWith(text, StringComparison.Ordinal))),
        new("regex", "PATTERN", "1 when the pattern matches somewhere in the answer.", Matches),
        new("max_words", "N", "1 when the answer has at most so many words.", count => Words(count, (words, most) => words <= most)),
        new("min_words", "N", "1 when the answer has at least so many words.", count => Words(count, (words, least) => words >= least)),
        new("words", null, "The number of words; with a negative weight, brevity.", _ => completion => WordCount(completion.Text)),
        new("json", null, "1 when the whole answer is JSON.", _ => completion => Truth(IsJson(completion.Text))),
    ];

    /// <summary>Words of a text, parted by white space.</summary>
    public static int WordCount(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;

    /// <summary>The error for a row without the column of a rule.</summary>
    internal static UserErrorException NoColumn(string column, PromptRow prompt) =>
        new($"reward_funcs: the rule needs column {column}, which prompt {prompt.Id} does not have.");

    private static double Truth(bool value) => value ? 1 : 0;

    private static string Expected(PromptCompletion completion, string column) => completion.Prompt.Column(column)
        ?? throw NoColumn(column, completion.Prompt);

    private static Func<PromptCompletion, double> Matches(string pattern)
    {
        try
        {
            // Without backtracking no pattern can take longer than the text is long.
            var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return completion => Truth(regex.IsMatch(completion.Text));
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw new UserErrorException($"regex:{pattern}: {error.Message.Split('\n')[0]}", error);
        }
    }

    private static Func<PromptCompletion, double> Words(string argument, Func<int, int, bool> holds) =>
        int.TryParse(argument, NumberStyles.None, CultureInfo.InvariantCulture, out var bound)
            ? completion => Truth(holds(WordCount(completion.Text), bound))
            : throw new UserErrorException($"'{argument}' is not a number of words.");

    private static decimal? LastNumber(string text)
    {
        var last = Number().Matches(text).LastOrDefault()?.Value.Replace(",", "", StringComparison.Ordinal);
        return decimal.TryParse(last, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"-?[0-9]+(,[0-9]{3})*(\.[0-9]+)?", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Number();
}
