namespace Handbook.Templates.Values;

/// <summary>The <c>str</c> methods that take a text apart.</summary>
internal static class StringSplits
{
    public static ListValue Split(RenderContext context, string text, string? separator, long limit)
    {
        var parts = new List<object?>();
        if (separator is null)
        {
            SplitWhitespace(text, limit, parts);
        }
        else
        {
            var from = 0;
            for (int at; limit-- != 0 && (at = TextSearch.IndexOf(text, separator, from)) >= 0; from = at + separator.Length)
                parts.Add(Part(text, from, at));
            parts.Add(Part(text, from, text.Length));
        }
        return new ListValue([.. parts]);
    }

    /// <summary>A piece of a text, paid for as an object and by its length.</summary>
    private static string Part(string text, int start, int end)
    {
        Budget.Spend(2);
        Budget.Walk(end - start);
        return text[start..end];
    }

    private static void SplitWhitespace(string text, long limit, List<object?> parts)
    {
        Budget.Walk(text.Length);
        for (var i = 0; ;)
        {
            while (i < text.Length && PythonCharacters.IsSpace(text[i])) i++;
            if (i == text.Length)
                return;
            if (limit-- == 0)
            {
                parts.Add(Part(text, i, text.Length));
                return;
            }
            var start = i;
            while (i < text.Length && !PythonCharacters.IsSpace(text[i])) i++;
            parts.Add(Part(text, start, i));
        }
    }

    public static ListValue SplitFromEnd(RenderContext context, string text, string? separator, long limit)
    {
        if (limit < 0)
            return Split(context, text, separator, limit);
        var parts = new List<object?>();
        if (separator is null)
        {
            SplitWhitespaceFromEnd(text, limit, parts);
        }
        else
        {
            var end = text.Length;
            for (int at; limit-- > 0 && end >= separator.Length
                && (at = TextSearch.LastIndexOf(text, separator, end)) >= 0; end = at)
            {
                parts.Add(Part(text, at + separator.Length, end));
            }
            parts.Add(Part(text, 0, end));
        }
        parts.Reverse();
        return new ListValue([.. parts]);
    }

    private static void SplitWhitespaceFromEnd(string text, long limit, List<object?> parts)
    {
        Budget.Walk(text.Length);
        for (var i = text.Length; ;)
        {
            while (i > 0 && PythonCharacters.IsSpace(text[i - 1])) i--;
            if (i == 0)
                return;
            if (limit-- == 0)
            {
                parts.Add(Part(text, 0, i));
                return;
            }
            var end = i;
            while (i > 0 && !PythonCharacters.IsSpace(text[i - 1])) i--;
            parts.Add(Part(text, i, end));
        }
    }

    /// <summary><c>splitlines</c>: every kind of line break ends a line, <c>\r\n</c> is one.</summary>
    public static IEnumerable<string> Lines(string text, bool keepEnds)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = start;
            while (end < text.Length && !PythonCharacters.IsLineBreak(text[end])) end++;
            var next = end == text.Length ? end : text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? end + 2 : end + 1;
            yield return Part(text, start, keepEnds ? next : end);
            start = next;
        }
    }

    public static TupleValue Partition(string text, string separator, bool last)
    {
        if (separator.Length == 0)
            throw PythonError.Value("empty separator");
        var at = last ? TextSearch.LastIndexOf(text, separator, text.Length) : TextSearch.IndexOf(text, separator);
        if (at < 0)
            return last ? new TupleValue("", "", text) : new TupleValue(text, "", "");
        return new TupleValue(Part(text, 0, at), separator, Part(text, at + separator.Length, text.Length));
    }
}
