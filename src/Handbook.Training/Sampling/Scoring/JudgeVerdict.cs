using System.Globalization;
using System.Text.RegularExpressions;

namespace Handbook.Training.Sampling.Scoring;

/// <summary>Finds the rating in what a judge said.</summary>
public static partial class JudgeVerdict
{
    /// <summary>
    /// The rating: in double brackets, as a field of JSON, after the word rating or score, as a share (<c>7/10</c>), or the whole
    /// text; the last one of the first of these forms that there is. Null when there is none, or when it lies outside the scale.
    /// </summary>
    /// <param name="said">What the judge said; what it thought between think tags does not count.</param>
    /// <param name="min">The lowest rating.</param>
    /// <param name="max">The highest rating.</param>
    public static double? Parse(string said, double min, double max)
    {
        var text = Thoughts().Replace(said, "");
        foreach (var form in new[] { Brackets(), Field(), Words(), Share(), Whole() })
        {
            if (form.Matches(text).LastOrDefault() is not { } match)
                continue;
            var rating = double.Parse(match.Groups["n"].ValueSpan, CultureInfo.InvariantCulture);
            var scale = match.Groups["of"] is { Success: true } of ? double.Parse(of.ValueSpan, CultureInfo.InvariantCulture) : max;
            return scale == max && rating >= min && rating <= max ? rating : null;
        }
        return null;
    }

    private const string Rating = @"(?<n>-?\d+(\.\d+)?)";

    [GeneratedRegex("<think>.*?(</think>|$)", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Thoughts();

    [GeneratedRegex(@"\[\[\s*" + Rating + @"(\s*/\s*(?<of>\d+))?\s*\]\]", RegexOptions.CultureInvariant)]
    private static partial Regex Brackets();

    [GeneratedRegex("[\"'](rating|score|grade)[\"']\\s*:\\s*[\"']?" + Rating, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Field();

    [GeneratedRegex(@"\b(rating|score|grade)\b[\s*_]*(is|of|:|=|-)*[\s*_]*\[?" + Rating + @"(\s*(/|out of)\s*(?<of>\d+))?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(Rating + @"\s*(/|out of)\s*(?<of>\d+)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Share();

    [GeneratedRegex(@"^[\s*_]*" + Rating + @"[\s*_.]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();
}
