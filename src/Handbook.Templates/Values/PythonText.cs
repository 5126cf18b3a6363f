using System.Globalization;
using System.Numerics;
using System.Text;

namespace Handbook.Templates.Values;

/// <summary>Python's <c>str()</c>, <c>repr()</c> and type names.</summary>
internal static class PythonText
{
    private const int MaxContainerDepth = 160;

    /// <summary><c>str(value)</c>.</summary>
    public static string Of(object? value) => value switch
    {
        string text => text,
        Markup markup => markup.Text,
        TemplateValue other => other.ToText(),
        _ => ReprOf(value),
    };

    /// <summary><c>repr(value)</c>.</summary>
    public static string ReprOf(object? value)
    {
        switch (value)
        {
            case null: return "None";
            case bool truth: return truth ? "True" : "False";
            case long number: return number.ToString(CultureInfo.InvariantCulture);
            case BigInteger big: return Digits(big);
            case double real: return PythonFloat.Repr(real);
        }
        var result = new StringBuilder();
        AppendRepr(result, value, 0);
        return result.ToString();
    }

    /// <summary><c>ascii(value)</c>.</summary>
    public static string AsciiOf(object? value)
    {
        var text = ReprOf(value);
        if (Ascii.IsValid(text))
            return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i += CodePoints.UnitsAt(text, i))
        {
            var point = CodePoints.UnitsAt(text, i) == 2 ? char.ConvertToUtf32(text[i], text[i + 1]) : text[i];
            result.Append(point < 0x80 ? ((char)point).ToString() : HexadecimalEscape(point));
            Budget.Spend(1);
            Budget.Fit(result.Length);
        }
        return result.ToString();
    }

    private static string Digits(BigInteger value)
    {
        Budget.Spend(value.GetBitLength() / 64 * (value.GetBitLength() / 64) / 16);
        return value.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Appends <c>repr(value)</c>; containers deeper than Python's own recursion limit allows are refused.</summary>
    public static void AppendRepr(StringBuilder result, object? value, int depth)
    {
        if (depth > MaxContainerDepth)
            throw PythonError.Recursion();
        Budget.Spend(1);
        Budget.Fit(result.Length);
        switch (value)
        {
            case string text: AppendQuoted(result, text); break;
            case TemplateValue other: other.AppendRepr(result, depth); break;
            default: result.Append(ReprOf(value)); break;
        }
    }

    public static void AppendSequence(StringBuilder result, char open, IReadOnlyList<object?> items, string close, int depth)
    {
        result.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                result.Append(", ");
            AppendRepr(result, items[i], depth + 1);
        }
        result.Append(close);
    }

    private static void AppendQuoted(StringBuilder result, string text)
    {
        Budget.Walk(text.Length);
        Budget.Fit((long)result.Length + text.Length);
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        result.Append(quote);
        for (var i = 0; i < text.Length; i++)
        {
            var unit = text[i];
            if (unit == quote || unit == '\\')
                result.Append('\\').Append(unit);
            else if (unit is >= ' ' and < '\x7f')
                result.Append(unit);
            else if (unit is '\n' or '\r' or '\t')
                result.Append('\\').Append(unit switch { '\n' => 'n', '\r' => 'r', _ => 't' });
            else
                i += AppendRare(result, text, i) - 1;
        }
        result.Append(quote);
    }

    private static int AppendRare(StringBuilder result, string text, int index)
    {
        if (!Rune.TryGetRuneAt(text, index, out var rune))
        {
            result.Append(HexadecimalEscape(text[index]));
            return 1;
        }
        if (PythonCharacters.IsPrintable(rune))
            result.Append(text, index, rune.Utf16SequenceLength);
        else
            result.Append(HexadecimalEscape(rune.Value));
        return rune.Utf16SequenceLength;
    }

    /// <summary>A code point as Python's shortest backslash escape.</summary>
    public static string HexadecimalEscape(int codePoint) => codePoint switch
    {
        < 0x100 => string.Create(CultureInfo.InvariantCulture, $"\\x{codePoint:x2}"),
        < 0x10000 => string.Create(CultureInfo.InvariantCulture, $"\\u{codePoint:x4}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"\\U{codePoint:x8}"),
    };

    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        TemplateValue other => other.TypeName,
        _ => value.GetType().Name,
    };

    /// <summary>Jinja2's <c>object_type_repr</c>.</summary>
    public static string DescribeObject(object? value) => value switch
    {
        null => "None",
        TemplateValue other => other.QualifiedTypeName + " object",
        _ => TypeName(value) + " object",
    };
}
