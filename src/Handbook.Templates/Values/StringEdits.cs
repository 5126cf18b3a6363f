using System.Text;

namespace Handbook.Templates.Values;

/// <summary>The <c>str</c> methods that return a changed text.</summary>
internal static class StringEdits
{
    /// <summary>Takes whitespace, or any of <paramref name="chars"/>, from one or both ends.</summary>
    public static string Strip(string text, string? chars, bool front, bool back)
    {
        var (start, end) = (0, text.Length);
        Budget.Walk(chars?.Length ?? 0);
        if (chars is null || (CodePoints.AreUnits(chars) && CodePoints.AreUnits(text)))
        {
            while (front && start < end && Takes(text[start])) start++;
            while (back && end > start && Takes(text[end - 1])) end--;
            Budget.Make(end - start);
            Budget.Walk((text.Length - end + start) * (1L + (chars?.Length ?? 0) / 16));
            return text[start..end];
        }
        var taken = CodePoints.Split(chars).ToHashSet(StringComparer.Ordinal);
        var points = CodePoints.Split(text).ToArray();
        end = points.Length;
        while (front && start < end && taken.Contains(points[start])) start++;
        while (back && end > start && taken.Contains(points[end - 1])) end--;
        return string.Concat(points[start..end]);

        bool Takes(char unit) => chars is null ? PythonCharacters.IsSpace(unit) : chars.Contains(unit, StringComparison.Ordinal);
    }

    public static string Replace(RenderContext context, string text, string old, string replacement, long count)
    {
        if (count == 0 || (old.Length == 0 && replacement.Length == 0))
            return text;
        return old.Length == 0 ? Interleave(context, text, replacement, count) : ReplaceSome(context, text, old, replacement, count);
    }

    private static string ReplaceSome(RenderContext context, string text, string old, string replacement, long count)
    {
        var result = new StringBuilder();
        var from = 0;
        for (int at; count != 0 && (at = TextSearch.IndexOf(text, old, from)) >= 0; count--)
        {
            result.Append(text, from, at - from).Append(replacement);
            from = at + old.Length;
            context.Charge(1);
            context.CheckLength(result.Length);
        }
        return context.Checked(result.Append(text, from, text.Length - from).ToString());
    }

    private static string Interleave(RenderContext context, string text, string between, long count)
    {
        var result = new StringBuilder();
        foreach (var point in CodePoints.Split(text))
        {
            if (count-- != 0)
                result.Append(between);
            else
                count = 0;
            result.Append(point);
            context.CheckLength(result.Length);
        }
        if (count != 0)
            result.Append(between);
        return context.Checked(result.ToString());
    }

    public static string Join(RenderContext context, string separator, object? items)
    {
        var result = new StringBuilder();
        var index = 0;
        var iterator = Operations.TryIterate(items) ?? throw PythonError.Type("can only join an iterable");
        while (iterator.MoveNext())
        {
            context.Charge(1);
            var text = Operations.AsText(iterator.Current)
                ?? throw PythonError.Type($"sequence item {index}: expected str instance, {PythonText.TypeName(iterator.Current)} found");
            if (index++ > 0)
                result.Append(separator);
            result.Append(text);
            context.CheckLength(result.Length);
        }
        return context.Checked(result.ToString());
    }

    public static string Pad(RenderContext context, string text, long width, string fill, bool atFront)
    {
        var missing = width - CodePoints.Length(text);
        if (missing <= 0)
            return text;
        var padding = Repeat(context, fill, missing);
        return context.Checked(atFront ? padding + text : text + padding);
    }

    /// <summary>CPython gives the odd one to the left when the width is odd, else to the right.</summary>
    public static string Center(RenderContext context, string text, long width, string fill)
    {
        var missing = width - CodePoints.Length(text);
        if (missing <= 0)
            return text;
        var left = (missing / 2) + (missing & width & 1);
        return context.Checked(Repeat(context, fill, left) + text + Repeat(context, fill, missing - left));
    }

    public static string ZeroFill(RenderContext context, string text, long width)
    {
        var signed = text.StartsWith('+') || text.StartsWith('-');
        var sign = signed ? text[..1] : "";
        return sign + Pad(context, signed ? text[1..] : text, width - sign.Length, "0", atFront: true);
    }

    public static string ExpandTabs(RenderContext context, string text, long size)
    {
        var result = new StringBuilder();
        var column = 0L;
        foreach (var point in CodePoints.Split(text))
        {
            if (point != "\t")
            {
                result.Append(point);
                column = point is "\n" or "\r" ? 0 : column + 1;
            }
            else if (size > 0)
            {
                var spaces = size - (column % size);
                result.Append(Repeat(context, " ", spaces));
                column += spaces;
            }
            context.CheckLength(result.Length);
        }
        return context.Checked(result.ToString());
    }

    private static string Repeat(RenderContext context, string fill, long count)
    {
        Budget.Make(Math.Min(count, int.MaxValue) * fill.Length);
        return fill.Length == 1 ? new string(fill[0], (int)count) : string.Concat(Enumerable.Repeat(fill, (int)count));
    }
}
