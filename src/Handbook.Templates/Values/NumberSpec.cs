using System.Globalization;
using System.Numerics;
using System.Text;

namespace Handbook.Templates.Values;

/// <summary>How Python is asked to write a value: the common part of <c>%</c> and <c>format()</c> specifications.</summary>
internal sealed record NumberSpec
{
    public string Fill { get; init; } = " ";

    /// <summary><c>&lt;</c>, <c>&gt;</c>, <c>^</c>, <c>=</c>, or nothing for the type's own side.</summary>
    public char Align { get; init; }

    public char Sign { get; init; } = '-';

    public bool Alternate { get; init; }

    public long Width { get; init; }

    public char Grouping { get; init; }

    public int? Precision { get; init; }

    public char Type { get; init; }

    /// <summary>Writes an integer with one of the types <c>b c d o x X n</c>.</summary>
    public string Integer(RenderContext context, BigInteger value)
    {
        var magnitude = BigInteger.Abs(value);
        var (digits, prefix) = Type switch
        {
            'b' => (Radix(magnitude, 1), "0b"),
            'o' => (Radix(magnitude, 3), "0o"),
            'x' => (Radix(magnitude, 4), "0x"),
            'X' => (Radix(magnitude, 4).ToUpperInvariant(), "0X"),
            _ => (magnitude.ToString(CultureInfo.InvariantCulture), ""),
        };
        return Finish(context, value.Sign < 0, Alternate ? prefix : "", digits, "", groupSize: prefix.Length > 0 ? 4 : 3);
    }

    /// <summary>Writes a float with one of the types <c>e E f F g G % n</c> or none.</summary>
    public string Real(RenderContext context, double value)
    {
        var upper = char.IsAsciiLetterUpper(Type);
        var precision = Precision ?? 6;
        context.CheckLength(precision);
        if (precision > 5_000)
            throw PythonError.Value("precision too big");
        string text;
        if (!double.IsFinite(value))
        {
            text = double.IsNaN(value) ? "nan" : "inf";
        }
        else
        {
            text = char.ToLowerInvariant(Type) switch
            {
                'e' => PythonFloat.Scientific(value, precision),
                'f' => PythonFloat.Fixed(value, precision),
                '%' => PythonFloat.Fixed(value * 100, precision),
                'g' or 'n' => PythonFloat.General(value, precision, Alternate),
                _ when Precision is null => PythonFloat.Repr(Math.Abs(value)),
                _ => WithPoint(PythonFloat.General(value, precision, keepZeros: false)),
            };
        }
        text = upper ? text.ToUpperInvariant() : text;
        if (Type == '%')
            text += "%";
        var end = text.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and var at ? at : text.Length;
        return Finish(context, double.IsNegative(value) && !double.IsNaN(value), "", text[..end], text[end..], groupSize: 3);
    }

    private static string WithPoint(string text) => text.AsSpan().IndexOfAny('.', 'e') >= 0 ? text : text + ".0";

    /// <summary>Pads a text to the width.</summary>
    public string Padded(RenderContext context, string text, char side)
    {
        var missing = Width - CodePoints.Length(text);
        if (missing <= 0)
            return text;
        Budget.Make(Width * Fill.Length + text.Length);
        var align = Align is '\0' ? side : Align;
        var left = align switch { '<' => 0, '^' => missing / 2, _ => missing };
        var result = new StringBuilder();
        for (var i = 0; i < left; i++) result.Append(Fill);
        result.Append(text);
        for (var i = left; i < missing; i++) result.Append(Fill);
        return result.ToString();
    }

    private string Finish(RenderContext context, bool isNegative, string prefix, string digits, string rest, int groupSize)
    {
        var sign = isNegative ? "-" : Sign == '-' ? "" : Sign.ToString();
        var room = Align == '=' ? Width - sign.Length - prefix.Length - rest.Length : 0;
        Budget.Make(Width);
        if (Align == '=' && Fill == "0" && digits.Length > 0)
        {
            digits = Grouping == '\0' ? digits.PadLeft((int)Math.Max(0, room), '0') : GroupedTo(digits, room, groupSize);
            return sign + prefix + digits + rest;
        }
        if (Grouping != '\0')
            digits = Grouped(digits, groupSize);
        if (Align == '=')
            return sign + prefix + new NumberSpec { Fill = Fill, Width = room }.Padded(context, digits, '>') + rest;
        return Padded(context, sign + prefix + digits + rest, '>');
    }

    /// <summary>With zeros before it until digits and marks fill the room; a mark never stands first.</summary>
    private string GroupedTo(string digits, long room, int size)
    {
        var count = room - (room / (size + 1));
        count += count + ((count - 1) / size) < room ? 1 : 0;
        return Grouped(digits.PadLeft((int)Math.Max(0, Math.Min(count, int.MaxValue)), '0'), size);
    }

    private string Grouped(string digits, int size)
    {
        Budget.Make(digits.Length * 2L);
        var result = new StringBuilder(digits.Length + (digits.Length / size) + 1);
        for (var i = 0; i < digits.Length; i++)
        {
            if (i > 0 && (digits.Length - i) % size == 0)
                result.Append(Grouping);
            result.Append(digits[i]);
        }
        return result.ToString();
    }

    private static string Radix(BigInteger value, int bits)
    {
        if (value.IsZero)
            return "0";
        var result = new StringBuilder();
        for (; !value.IsZero; value >>= bits)
            result.Insert(0, "0123456789abcdef"[(int)(value & ((1 << bits) - 1))]);
        return result.ToString();
    }
}
