using System.Text;

namespace Handbook.Reports.ModelCards;

/// <summary>Names and values from recipes and folders inside Markdown: shown as they are, never taken as markup, on one line.</summary>
internal static class CardText
{
    private const string Markup = "\\`*[]<>|~";

    /// <summary>The text with backslashes before what Markdown would read.</summary>
    public static string Of(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var letter in PrintableText.Line(text))
        {
            if (Markup.Contains(letter, StringComparison.Ordinal))
                result.Append('\\');
            result.Append(letter);
        }
        return result.ToString();
    }
}
