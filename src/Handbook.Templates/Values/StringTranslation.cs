using System.Text;

namespace Handbook.Templates.Values;

/// <summary><c>str.maketrans</c> and <c>str.translate</c>.</summary>
internal static class StringTranslation
{
    /// <summary>A table from code points: of a dict, or of two texts of equal length and, perhaps, one of what is left out.</summary>
    public static DictValue MakeTable(RenderContext context, object?[] values)
    {
        var table = new DictValue();
        if (values[1] == Signature.Missing)
        {
            foreach (var (key, value) in (values[0] as DictValue
                ?? throw PythonError.Type("if you give only one argument to maketrans it must be a dict")).Entries)
                table.Set(Operations.AsText(key) is not { } text ? key : Single(text) is { } point ? Numbers.Box((long)point)
                    : throw PythonError.Value("string keys in translate table must be of length 1"), value);
            return table;
        }
        var (from, to) = (Points(values[0]), Points(values[1]));
        if (from.Count != to.Count)
            throw PythonError.Value("the first two maketrans arguments must have equal length");
        context.Charge(from.Count);
        for (var i = 0; i < from.Count; i++)
            table.Set(Numbers.Box((long)from[i]), Numbers.Box((long)to[i]));
        foreach (var point in values[2] == Signature.Missing ? [] : Points(values[2]))
            table.Set(Numbers.Box((long)point), null);
        return table;
    }

    /// <summary>Each character exchanged for what the table has for it.</summary>
    public static string Translate(RenderContext context, string text, object? table)
    {
        context.Charge(text.Length * 2L);
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var units = CodePoints.UnitsAt(text, i);
            var found = Members.GetItem(table, Numbers.Box((long)PointAt(text, i)));
            if (found is Undefined)
                result.Append(text, i, units);
            else if (Operations.AsText(found) is { } replacement)
                result.Append(replacement);
            else if (found is long or bool)
                result.Append(Character(Numbers.ToIndex(found)));
            else if (found is not null)
                throw PythonError.Type("character mapping must return integer, None or str");
            context.CheckLength(result.Length);
            i += units;
        }
        return context.Checked(result.ToString());
    }

    private static string Character(long point) =>
        point is < 0 or > 0x10FFFF ? throw PythonError.Value("character mapping must be in range(0x110000)")
            : point is >= 0xD800 and <= 0xDFFF ? ((char)point).ToString() : char.ConvertFromUtf32((int)point);

    private static List<int> Points(object? value)
    {
        var text = Operations.AsText(value)
            ?? throw PythonError.Type($"maketrans() argument 2 must be str, not {PythonText.TypeName(value)}");
        var points = new List<int>();
        for (var i = 0; i < text.Length; i += CodePoints.UnitsAt(text, i))
            points.Add(PointAt(text, i));
        return points;
    }

    private static int? Single(string text) => text.Length > 0 && CodePoints.UnitsAt(text, 0) == text.Length ? PointAt(text, 0) : null;

    private static int PointAt(string text, int index) =>
        CodePoints.UnitsAt(text, index) == 2 ? char.ConvertToUtf32(text[index], text[index + 1]) : text[index];
}
