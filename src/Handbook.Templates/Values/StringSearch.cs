namespace Handbook.Templates.Values;

/// <summary>The <c>str</c> methods that look for a part; their positions count code points.</summary>
internal static class StringSearch
{
    /// <summary><c>startswith</c> or <c>endswith</c> of one text or a tuple of them, within optional bounds.</summary>
    public static bool HasAffix(string text, object?[] values, bool atEnd)
    {
        if (!TryWindow(text, values, out var window, out _))
            return false;
        var affixes = values[0] is TupleValue tuple ? tuple.Items : [values[0]];
        foreach (var affix in affixes)
        {
            var part = Operations.AsText(affix) ?? throw PythonError.Type(
                $"{(atEnd ? "endswith" : "startswith")} first arg must be str or a tuple of str, not {PythonText.TypeName(affix)}");
            Budget.Scan(part.Length + 64);
            if (atEnd ? window.EndsWith(part, StringComparison.Ordinal) : window.StartsWith(part, StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    /// <summary><c>find</c> or <c>rfind</c>: a code point position, or -1.</summary>
    public static long Find(string text, object?[] values, bool last)
    {
        var part = Part(values[0]);
        if (!TryWindow(text, values, out var window, out var start))
            return -1;
        var at = last ? TextSearch.LastIndexOf(window, part, window.Length) : TextSearch.IndexOf(window, part);
        return at < 0 ? -1 : start + CodePoints.Length(window.AsSpan(0, at));
    }

    public static long Count(string text, object?[] values)
    {
        var part = Part(values[0]);
        if (!TryWindow(text, values, out var window, out _))
            return 0;
        if (part.Length == 0)
            return CodePoints.Length(window) + 1;
        var count = 0;
        for (var at = 0; (at = TextSearch.IndexOf(window, part, at)) >= 0; at += part.Length)
        {
            Budget.Spend(1);
            count++;
        }
        return count;
    }

    private static string Part(object? value) =>
        Operations.AsText(value) ?? throw PythonError.Type($"must be str, not {PythonText.TypeName(value)}");

    /// <summary>The stretch between the optional start and end; false when the start lies behind the text or the end.</summary>
    private static bool TryWindow(string text, object?[] values, out string window, out int start)
    {
        start = 0;
        window = text;
        if (values[1] == Signature.Missing && values[2] == Signature.Missing)
            return true;
        var length = CodePoints.Length(text);
        var from = Bound(values[1], length, 0);
        var to = Math.Min(Bound(values[2], length, length), length);
        if (from > length || from > to)
            return false;
        start = (int)from;
        window = CodePoints.Slice(text, new SliceBounds(start, (int)(to - from), 1));
        return true;
    }

    private static long Bound(object? value, int length, int missing)
    {
        if (value is null || value == Signature.Missing)
            return missing;
        var bound = Numbers.ToIndex(value);
        return bound < 0 ? Math.Max(0, bound + length) : bound;
    }
}
