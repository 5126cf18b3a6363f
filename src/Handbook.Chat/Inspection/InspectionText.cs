using System.Globalization;
using System.Text;

namespace Handbook.Chat.Inspection;

/// <summary>
/// An example for the terminal: its text with labels in colour, then, when asked, one line a token. Written with ANSI
/// colours, or without any where labels are marked by a column instead.
/// </summary>
public static class InspectionText
{
    private const string Reset = "\u001b[0m";
    private const string Label = "\u001b[30;42m";
    private const string Special = "\u001b[36m";
    private const string Faint = "\u001b[2m";
    private const string Cut = "\u001b[2;9m";
    private const string Warning = "\u001b[33m";

    /// <summary>The example as lines of text.</summary>
    /// <param name="example">The example.</param>
    /// <param name="colour">Whether the terminal shows ANSI colours.</param>
    /// <param name="everyToken">Whether a table with every token follows.</param>
    public static string Write(InspectedExample example, bool colour, bool everyToken)
    {
        var result = new StringBuilder();
        result.Append(CultureInfo.InvariantCulture,
            $"{PrintableText.Line(example.Name)}: {Quantity.Of(example.TokenCount, "token")}, "
                + $"{Quantity.Of(example.LabelCount, "label")}\n");
        foreach (var problem in example.Problems)
            result.Append(Paint(colour, Warning, "! " + PrintableText.Line(problem))).Append('\n');
        foreach (var part in example.Parts)
        {
            var counts = $"{Quantity.Of(part.Tokens.Count, "token")}, {Quantity.Of(part.LabelCount, "label")}";
            result.Append(CultureInfo.InvariantCulture, $"\n{Paint(colour, Faint, $"{PrintableText.Line(part.Title)} ({counts})")}\n");
            if (colour)
                AppendText(result, part);
            if (everyToken || !colour)
                AppendTable(result, part, example.Roles, colour);
        }
        return result.ToString();
    }

    private static void AppendText(StringBuilder result, InspectedPart part)
    {
        var current = "";
        for (var at = 0; at < part.Tokens.Count; at++)
        {
            if (IsGap(part, ref at))
            {
                Switch("");
                result.Append(CultureInfo.InvariantCulture,
                    $"\n\n... {Quantity.Of(part.Gap.Behind - part.Gap.From, "token")} not shown ...\n\n");
            }
            var token = part.Tokens[at];
            var style = token.IsCut ? Cut : token.IsLabel ? Label : token.IsSpecial ? Special : "";
            var lines = token.Text.Split('\n');
            for (var i = 0; i < lines.Length; i++)
            {
                Switch(style);
                if (i > 0)
                {
                    result.Append(style == Label ? "\u21b5" : "");
                    // A background would run to the edge of the screen at a line's end.
                    Switch("");
                    result.Append('\n');
                }
                if (lines[i].Length > 0)
                    Switch(style);
                result.Append(PrintableText.Lines(lines[i]));
            }
        }
        Switch("");
        result.Append('\n');

        void Switch(string style)
        {
            if (style == current)
                return;
            result.Append(current.Length > 0 ? Reset : "").Append(style);
            current = style;
        }
    }

    private static void AppendTable(StringBuilder result, InspectedPart part, IReadOnlyList<string> roles, bool colour)
    {
        result.Append(Paint(colour, Faint, "position      id  label  message        text")).Append('\n');
        for (var i = 0; i < part.Tokens.Count; i++)
        {
            if (IsGap(part, ref i))
                result.Append(CultureInfo.InvariantCulture, $"... {Quantity.Of(part.Gap.Behind - part.Gap.From, "token")} not shown ...\n");
            var token = part.Tokens[i];
            var message = token.Message < 0 ? "-"
                : token.Message < roles.Count ? $"{token.Message} {PrintableText.Line(roles[token.Message])}" : $"{token.Message}";
            var line = string.Create(CultureInfo.InvariantCulture,
                $"{i,8}  {token.Id,6}  "
                    + $"{(token.IsCut ? " cut " : token.IsLabel ? "  *  " : "     ")}  {message,-13}  {Visible(token.Text)}");
            result.Append(token.IsLabel && !token.IsCut ? Paint(colour, "\u001b[32m", line) : line).Append('\n');
        }
    }

    /// <summary>At the beginning of the middle that is not shown, goes behind it.</summary>
    private static bool IsGap(InspectedPart part, ref int at)
    {
        if (part.Gap.Behind == 0 || at != part.Gap.From)
            return false;
        at = part.Gap.Behind;
        return true;
    }

    private static string Paint(bool colour, string style, string text) => colour ? style + text + Reset : text;

    private static string Visible(string text) =>
        PrintableText.Lines(text.Replace("\n", "\u21b5", StringComparison.Ordinal).Replace("\t", "\u21e5", StringComparison.Ordinal)
            .Replace(' ', '\u00b7'));
}
