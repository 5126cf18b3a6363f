using System.Text;

namespace Handbook.Templates.Values;

/// <summary>Python's view of a string, by code points, over .NET's UTF-16. Strings without surrogates take the short way.</summary>
internal static class CodePoints
{
    public static bool AreUnits(ReadOnlySpan<char> text)
    {
        Budget.Scan(text.Length);
        return !text.ContainsAnyInRange('\uD800', '\uDFFF');
    }

    public static int Length(ReadOnlySpan<char> text)
    {
        if (AreUnits(text))
            return text.Length;
        Budget.Walk(text.Length);
        var count = 0;
        for (var i = 0; i < text.Length; count++)
            i += UnitsAt(text, i);
        return count;
    }

    /// <summary>1, or 2 where a surrogate pair begins; a lone surrogate counts as a code point of its own.</summary>
    public static int UnitsAt(ReadOnlySpan<char> text, int index) =>
        char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]) ? 2 : 1;

    /// <summary>UTF-16 position of the code point number <paramref name="codePoint"/>.</summary>
    public static int ToUnits(ReadOnlySpan<char> text, int codePoint)
    {
        if (AreUnits(text))
            return codePoint;
        Budget.Walk(codePoint);
        var i = 0;
        for (; codePoint > 0 && i < text.Length; codePoint--)
            i += UnitsAt(text, i);
        return i;
    }

    public static IEnumerable<string> Split(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            Budget.Spend(1);
            var units = UnitsAt(text, i);
            yield return units == 1 ? One(text[i]) : text.Substring(i, 2);
            i += units;
        }
    }

    /// <summary>A code point by its number from the front, which must exist.</summary>
    public static string At(string text, int index)
    {
        var unit = ToUnits(text, index);
        return text.Substring(unit, UnitsAt(text, unit));
    }

    /// <summary>Python's <c>text[start:start + count * step:step]</c> with bounds already settled.</summary>
    public static string Slice(string text, SliceBounds bounds)
    {
        if (bounds.Count == 0)
            return "";
        Budget.Make(bounds.Count);
        if (AreUnits(text) && (bounds.Step == 1 || bounds.Count == 1))
            return text.Substring(bounds.Start, bounds.Count);
        var points = AreUnits(text) ? null : Split(text).ToArray();
        var result = new StringBuilder(bounds.Count);
        for (var (i, left) = (bounds.Start, bounds.Count); left > 0; i += bounds.Step, left--)
            _ = points is null ? result.Append(text[i]) : result.Append(points[i]);
        return result.ToString();
    }

    /// <summary>The units from <paramref name="start"/> to <paramref name="end"/> as a text that is paid for.</summary>
    public static string Sliced(string text, int start, int end)
    {
        Budget.Make(end - start);
        return text[start..end];
    }

    private static readonly string[] Ascii = [.. Enumerable.Range(0, 128).Select(code => ((char)code).ToString())];

    private static string One(char unit) => unit < 128 ? Ascii[unit] : unit.ToString();
}

/// <summary>A Python slice applied to a length: where it starts, how many elements, how far apart.</summary>
internal readonly record struct SliceBounds(int Start, int Count, int Step, int Stop = 0)
{
    public static SliceBounds Of(int length, long? start, long? stop, long? step)
    {
        var by = step ?? 1;
        if (by == 0)
            throw PythonError.Value("slice step cannot be zero");
        var (low, high) = by > 0 ? (0L, (long)length) : (-1L, length - 1L);
        var from = start is { } s ? Clamp(s, length, low, high) : by > 0 ? low : high;
        var to = stop is { } e ? Clamp(e, length, low, high) : by > 0 ? high : low;
        var count = by > 0 ? (to > from ? ((to - from - 1) / by) + 1 : 0) : from > to ? (from - to - 1) / UnsignedStep(by) + 1 : 0;
        return new SliceBounds((int)from, (int)count, (int)Math.Clamp(by, int.MinValue, int.MaxValue), (int)to);
    }

    private static long UnsignedStep(long step) => step == long.MinValue ? long.MaxValue : -step;

    private static long Clamp(long index, int length, long low, long high) =>
        Math.Clamp(index < 0 ? (index < -length ? low : index + length) : index, low, high);
}
