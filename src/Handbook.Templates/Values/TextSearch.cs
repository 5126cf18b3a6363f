namespace Handbook.Templates.Values;

/// <summary>
/// Looks for a part of a text, ordinally. Short parts are left to .NET; a long one could be compared almost whole at every place, so
/// it is looked for in linear time (Knuth, Morris and Pratt 1977). Both pay for what they look through.
/// </summary>
internal static class TextSearch
{
    private const int Short = 24;

    /// <summary>Where the part first stands at or after <paramref name="from"/>; -1 when it does not.</summary>
    public static int IndexOf(string text, string part, int from = 0)
    {
        if (part.Length > text.Length - from)
            return -1;
        if (part.Length <= Short)
        {
            var found = text.AsSpan(from).IndexOf(part, StringComparison.Ordinal);
            Budget.Scan((found < 0 ? text.Length - from : found) * 4L);
            return found < 0 ? -1 : from + found;
        }
        var match = Linear(text.Length - from, part.Length, i => text[from + i], i => part[i]);
        return match < 0 ? -1 : from + match;
    }

    /// <summary>Where the part last stands within the first <paramref name="end"/> characters; -1 when it does not.</summary>
    public static int LastIndexOf(string text, string part, int end)
    {
        if (part.Length > end)
            return -1;
        if (part.Length <= Short)
        {
            var found = text.AsSpan(0, end).LastIndexOf(part, StringComparison.Ordinal);
            Budget.Scan((end - Math.Max(found, 0)) * 4L);
            return found;
        }
        var match = Linear(end, part.Length, i => text[end - 1 - i], i => part[part.Length - 1 - i]);
        return match < 0 ? -1 : end - match - part.Length;
    }

    /// <summary>Whether the part stands anywhere.</summary>
    public static bool Contains(string text, string part) => IndexOf(text, part) >= 0;

    private static int Linear(int length, int partLength, Func<int, char> text, Func<int, char> part)
    {
        Budget.Walk(partLength);
        var borders = new int[partLength];
        for (var (i, border) = (1, 0); i < partLength; i++)
        {
            while (border > 0 && part(i) != part(border))
                border = borders[border - 1];
            borders[i] = part(i) == part(border) ? ++border : border;
        }
        var matched = 0;
        for (var i = 0; i < length; i++)
        {
            if ((i & 4095) == 0)
                Budget.Walk(4096);
            while (matched > 0 && text(i) != part(matched))
                matched = borders[matched - 1];
            matched += text(i) == part(matched) ? 1 : 0;
            if (matched == partLength)
                return i + 1 - partLength;
        }
        return -1;
    }
}
