using System.Globalization;
using System.Text.RegularExpressions;

namespace Handbook.Sampling.Scoring;

/// <summary>Finds the rating in what a judge said.</summary>
public static partial class JudgeVerdict
{
    /// <summary>
    /// The rating: in double brackets, as a field of JSON, after the word rating or score, as a share (<c>7/10</c>), after a verb
    /// (<c>I'd give it a 7</c>), or the whole text; the last one of the first of these forms that there is. Numbers that name the scale
    /// (<c>from 1 to 10</c>, <c>1-10</c>, <c>out of 10</c>, <c>[[7]] of [[10]]</c>) are no ratings. Null when there is none, or when it
    /// lies outside the scale or on another one.
    /// </summary>
    /// <param name="said">What the judge said; what it thought does not count.</param>
    /// <param name="min">The lowest rating.</param>
    /// <param name="max">The highest rating.</param>
    public static double? Parse(string said, double min, double max)
    {
        var text = WithoutScale(WithoutThoughts(said), min, max);
        foreach (var form in new[] { Brackets(), Field(), Words(), Share(), Verb(), Whole() })
        {
            if (form.Matches(text).LastOrDefault() is not { } match)
                continue;
            var rating = Number(match.Groups["n"]);
            var scale = match.Groups["of"] is { Success: true } of ? Number(of) : max;
            return scale == max && rating >= min && rating <= max ? rating : null;
        }
        return null;
    }

    /// <summary>
    /// What is said aloud: thoughts between tags are left out, those whose end never came, and those whose beginning stands in the
    /// prompt, as templates of reasoning models put it there.
    /// </summary>
    public static string WithoutThoughts(string said)
    {
        var text = Thoughts().Replace(said, "");
        text = ThoughtsEnd().Matches(text).LastOrDefault() is { } end ? text[(end.Index + end.Length)..] : text;
        return text.Length <= MostLetters ? text : text[^MostLetters..];
    }

    /// <summary>The text without the places where both ends of the scale stand, or its highest rating as what ratings are out of.</summary>
    private static string WithoutScale(string text, double min, double max)
    {
        var ranges = Range()
            .Replace(text, match => Number(match.Groups["min"]) == min && Number(match.Groups["max"]) == max ? " " : match.Value);
        var ends = Ends()
            .Replace(ranges, match => Number(match.Groups["n"]) == min || Number(match.Groups["n"]) == max ? " " : match.Value);
        return OutOf().Replace(ends, match => Number(match.Groups["n"]) == max ? " " : match.Value);
    }

    private static double Number(Group number) => double.Parse(number.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture);

    // A verdict stands at the end of what is said.
    private const int MostLetters = 16_384;
    private const RegexOptions Plain = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;
    private const string Rating = @"(?<n>-?[0-9]{1,9}(\.[0-9]{1,9})?)(?![0-9%]|\.[0-9]|st\b|nd\b|rd\b|th\b)";
    private const string Of =
        @"(\s*\]*\s*(/|out\s+of|of)\s*(a\s+(possible|maximum|total)\s+(of\s+)?)?\[*\s*(?<of>[0-9]{1,9}(\.[0-9]{1,9})?))";
    // Atomic, as all stretches of white space here: what a judge says may not cost more than its length.
    private const string Marks = @"(?>[\s*_`""'(\[]*)";

    [GeneratedRegex(@"<(think|thinking|thought|thoughts|reasoning|reflection)>.*?(</\1>|$)|\[THINK\].*?(\[/THINK\]|$)",
        RegexOptions.Singleline | Plain)]
    private static partial Regex Thoughts();

    [GeneratedRegex(@"</(think|thinking|thought|thoughts|reasoning|reflection)>|\[/THINK\]|<\|channel\|>final<\|message\|>", Plain)]
    private static partial Regex ThoughtsEnd();

    // 1-10, [1, 10], 1 to 10, from 1 (worst) to 10 (best), [[1]]-[[10]]
    [GeneratedRegex(
        @"(\b(from|between|scale\s+of|on)\s+)?[\[(]*(?<![0-9.\-])(?<min>-?[0-9]{1,9}(\.[0-9]{1,9})?)\]*(\s*\([^()0-9]{0,60}\))?\s*(-|–|—|"
        + @"\.\.+|…|,|to\b|and\b|through\b|up\s+to\b)\s*\[*(?<max>-?[0-9]{1,9}(\.[0-9]{1,9})?)(?![0-9%]|\.[0-9])(\s*\([^()0-9]{0,60}"
        + @"\))?[\])]*", Plain)]
    private static partial Regex Range();

    // where 10 is the best, 10 being perfect, 1 = poor
    [GeneratedRegex(
        @"(\b(where|with|and)\s+a?\s*(?<![0-9.])(?<n>[0-9]{1,9})\s+(is|being|means|meaning|represents|for|as)\b|(?<![0-9.\-])(?<n>[0-9]{1,"
        + @"9})\s*(being|=|means|meaning|represents)(?=\s*[a-z])|\b(max|maximum|highest|top|minimum|min|lowest)(\s+(possible|score|rating|"
        + @"grade))*(\s+(is|of))?\s*:?\s*(?<n>[0-9]{1,9})(?![0-9.%]))", Plain)]
    private static partial Regex Ends();

    // "score out of 10: 7": what ratings are out of, before any rating
    [GeneratedRegex(@"(?<![0-9\])*_]\s*)(\bout\s+of|/)\s*(a\s+(possible|maximum|total)\s+(of\s+)?)?(?<n>[0-9]{1,9})(?![0-9%]|\.[0-9])",
        Plain)]
    private static partial Regex OutOf();

    [GeneratedRegex(
        @"(?<!\]\]\s*(/|out\s+of|of)\s*)\[\[\s*(rating|score)?\s*:?\s*" + Rating + Of
            + @"?\s*\]\](\s*(/|out\s+of)\s*(?<of>[0-9]{1,9})(?![0-9]))?|\\boxed\{\s*" + Rating + @"\s*\}", Plain)]
    private static partial Regex Brackets();

    [GeneratedRegex("[\"'](overall_|final_)?(rating|score|grade)[\"']\\s*:\\s*[\"'\\[]*" + Rating, Plain)]
    private static partial Regex Field();

    [GeneratedRegex(
        @"\b(rating|score|grade|mark)\b(" + Marks + @"|[^\n.;:=0-9]{0,60}?(\bis|\bbe|\bof|:|=|->|→|-)(?>[\s*_)\]]*)(\b(a|an)\b)?)" + Marks
            + "(of\\s+)?" + Rating + Of + "?", Plain)]
    private static partial Regex Words();

    [GeneratedRegex(
        @"(?<![0-9.])" + Rating + @"\s*(/|out\s+of)\s*(a\s+(possible|maximum|total)\s+(of\s+)?)?(?<of>[0-9]{1,9}(\.[0-9]{1,9})?)", Plain)]
    private static partial Regex Share();

    [GeneratedRegex(
        @"\b(rate|rated|give|gave|assign|award|score|grade|deserves|merits|gets|earns)\b[^\"
        + @"n.;:0-9]{0,60}?\b(a|an|as|at|it|this|with|by|be|answer|response)\b" + Marks + Rating
        + @"|\b(rate|rated|deserves|merits|earns|scores)\b[\s:*_]{1,4}" + Rating, Plain)]
    private static partial Regex Verb();

    [GeneratedRegex(@"^(?>[\s*_\[(:]*)" + Rating + @"[\s*_.\])]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();
}
