using System.Text;
using Handbook.Templates.Values;

namespace Handbook.Templates.Syntax;

/// <summary>
/// Escapes in string literals: Jinja2 encodes the literal as ASCII with backslash replacement and decodes it as Python's
/// <c>unicode-escape</c>, so an unknown escape stays as written.
/// </summary>
internal static class TextEscapes
{
    /// <exception cref="FormatException">A cut-off or impossible escape; the message is Python's.</exception>
    public static string Decode(ReadOnlySpan<char> text)
    {
        if (!text.Contains('\\'))
            return text.ToString();
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                result.Append(text[i]);
                continue;
            }
            if (++i == text.Length)
                throw new FormatException("\\ at end of string");
            i = DecodeOne(text, i, result);
        }
        return result.ToString();
    }

    /// <summary>Decodes the escape whose letter stands at <paramref name="i"/>; returns the last position it used.</summary>
    private static int DecodeOne(ReadOnlySpan<char> text, int i, StringBuilder result)
    {
        switch (text[i])
        {
            case '\n': return i;
            case 'x': return Hexadecimal(text, i, 2, "truncated \\xXX escape", result);
            case 'u': return Hexadecimal(text, i, 4, "truncated \\uXXXX escape", result);
            case 'U': return Hexadecimal(text, i, 8, "truncated \\UXXXXXXXX escape", result);
            case 'N': throw new FormatException("character names are not known here");
            case >= '0' and <= '7': return Octal(text, i, result);
            case > '\x7f':
                // The letter was turned into an escape of its own before decoding, and this backslash escapes that one's.
                i += Rune.DecodeFromUtf16(text[i..], out var rune, out var used) == System.Buffers.OperationStatus.Done ? used - 1 : 0;
                result.Append(PythonText.HexadecimalEscape(rune.Value));
                return i;
        }
        var simple = text[i] switch
        {
            'n' => "\n", 't' => "\t", 'r' => "\r", 'a' => "\a", 'b' => "\b", 'f' => "\f", 'v' => "\v",
            '\\' => "\\", '\'' => "'", '"' => "\"", var other => "\\" + other,
        };
        result.Append(simple);
        return i;
    }

    private static int Hexadecimal(ReadOnlySpan<char> text, int i, int digits, string truncated, StringBuilder result)
    {
        if (i + digits >= text.Length)
            throw new FormatException(truncated);
        var value = 0L;
        foreach (var digit in text.Slice(i + 1, digits))
        {
            if (!char.IsAsciiHexDigit(digit))
                throw new FormatException(truncated);
            value = value * 16 + Convert.ToInt32(digit.ToString(), 16);
        }
        if (value > 0x10FFFF)
            throw new FormatException("illegal Unicode character");
        AppendCodePoint(result, (int)value);
        return i + digits;
    }

    private static int Octal(ReadOnlySpan<char> text, int i, StringBuilder result)
    {
        var value = 0;
        var end = i;
        for (; end < text.Length && end < i + 3 && text[end] is >= '0' and <= '7'; end++)
            value = value * 8 + (text[end] - '0');
        AppendCodePoint(result, value);
        return end - 1;
    }

    private static void AppendCodePoint(StringBuilder result, int value)
    {
        if (value < 0x10000)
            result.Append((char)value);
        else
            result.Append(char.ConvertFromUtf32(value));
    }
}
