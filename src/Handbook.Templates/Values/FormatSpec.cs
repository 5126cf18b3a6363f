using System.Numerics;

namespace Handbook.Templates.Values;

/// <summary>Python's format specification mini-language, as <c>str.format</c> applies it to one value.</summary>
internal static class FormatSpec
{
    public static string Apply(RenderContext context, object? value, string spec)
    {
        if (spec.Length == 0)
            return PythonText.Of(value);
        if (!Numbers.IsNumber(value) && Operations.AsText(value) is null)
            throw PythonError.Type($"unsupported format string passed to {PythonText.TypeName(value)}.__format__");
        var parsed = Parse(spec, value);
        if (Operations.AsText(value) is { } text)
            return Text(context, text, parsed);
        if (value is double || parsed.Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%')
            return parsed.Type is 'd' or 'b' or 'o' or 'x' or 'X' or 'c' or 's'
                ? throw Unknown(parsed.Type, value) : parsed.Real(context, Numbers.ToDouble(value!));
        if (parsed.Precision is not null)
            throw PythonError.Value("Precision not allowed in integer format specifier");
        var integer = Numbers.ToBig(value!);
        if (parsed.Type == 'c')
            return integer >= 0 && integer <= 0x10FFFF && !(integer >= 0xD800 && integer < 0xE000)
                ? parsed.Padded(context, char.ConvertFromUtf32((int)integer), '<')
                : throw new PythonError("OverflowError", "%c arg not in range(0x110000)");
        return parsed.Type is '\0' or 'd' or 'b' or 'o' or 'x' or 'X' or 'n' ? parsed.Integer(context, integer)
            : throw Unknown(parsed.Type, value);
    }

    private static string Text(RenderContext context, string text, NumberSpec spec)
    {
        if (spec.Type is not ('\0' or 's'))
            throw Unknown(spec.Type, text);
        if (spec.Grouping != '\0')
            throw PythonError.Value($"Cannot specify '{spec.Grouping}' with 's'.");
        if (spec.Align == '=' || spec.Sign != '-')
            throw PythonError.Value(spec.Align == '='
                ? "'=' alignment not allowed in string format specifier" : "Sign not allowed in string format specifier");
        if (spec.Precision is { } length)
            text = CodePoints.Slice(text, SliceBounds.Of(CodePoints.Length(text), null, length, null));
        return spec.Padded(context, text, '<');
    }

    private static PythonError Unknown(char type, object? value) =>
        PythonError.Value($"Unknown format code '{type}' for object of type '{PythonText.TypeName(value)}'");

    private static NumberSpec Parse(string spec, object? value)
    {
        var at = 0;
        var first = CodePoints.UnitsAt(spec, 0);
        var (fill, align) = (" ", '\0');
        if (first < spec.Length && IsAlign(spec[first]))
            (fill, align, at) = (spec[..first], spec[first], first + 1);
        else if (IsAlign(spec[0]))
            (align, at) = (spec[0], 1);
        var sign = Take('+', '-', ' ') is var s && s != '\0' ? s : '-';
        Take('z');
        var alternate = Take('#') != '\0';
        if (Take('0') != '\0' && align == '\0')
            (fill, align) = ("0", Operations.AsText(value) is null ? '=' : '<');
        var width = Number() ?? 0;
        var grouping = Take(',', '_');
        int? precision = null;
        if (Take('.') != '\0')
            precision = (int)(Number() ?? throw PythonError.Value("Format specifier missing precision"));
        var type = at < spec.Length ? spec[at++] : '\0';
        if (at < spec.Length)
            throw PythonError.Value($"Invalid format specifier '{spec}' for object of type '{PythonText.TypeName(value)}'");
        return new NumberSpec
        {
            Fill = fill, Align = align, Sign = sign, Alternate = alternate, Width = width, Grouping = grouping,
            Precision = precision, Type = type,
        };

        static bool IsAlign(char unit) => unit is '<' or '>' or '=' or '^';

        char Take(params ReadOnlySpan<char> wanted) => at < spec.Length && wanted.Contains(spec[at]) ? spec[at++] : '\0';

        long? Number()
        {
            var start = at;
            while (at < spec.Length && char.IsAsciiDigit(spec[at])) at++;
            return at == start ? null
                : at - start < 10 && BigInteger.Parse(spec[start..at], System.Globalization.CultureInfo.InvariantCulture) is var number
                ? (long)number : throw PythonError.Value("Too many decimal digits in format string");
        }
    }
}
