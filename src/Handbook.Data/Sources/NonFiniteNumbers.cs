using System.Buffers;
using System.Text.Json;

namespace Handbook.Data.Sources;

/// <summary>
/// Python, Arrow and pandas write and read NaN and infinities in JSON, which has none. Here they become the texts <c>NaN</c>,
/// <c>Infinity</c> and <c>-Infinity</c>: what does not use them can be read, and what wants a number says what it found.
/// </summary>
internal static class NonFiniteNumbers
{
    private static readonly (byte[] Word, byte[] Text)[] Words =
    [
        ("-Infinity"u8.ToArray(), "\"-Infinity\""u8.ToArray()), ("Infinity"u8.ToArray(), "\"Infinity\""u8.ToArray()),
        ("-Inf"u8.ToArray(), "\"-Infinity\""u8.ToArray()), ("Inf"u8.ToArray(), "\"Infinity\""u8.ToArray()),
        ("-NaN"u8.ToArray(), "\"NaN\""u8.ToArray()), ("NaN"u8.ToArray(), "\"NaN\""u8.ToArray()),
    ];

    /// <summary>The JSON with such numbers as texts; what has none comes back as it is.</summary>
    public static ReadOnlyMemory<byte> AsTexts(ReadOnlyMemory<byte> json)
    {
        var rest = json.Span;
        if (rest.IndexOf("NaN"u8) < 0 && rest.IndexOf("Inf"u8) < 0)
            return json;
        var result = new ArrayBufferWriter<byte>(json.Length + 64);
        while (rest.Length > 0)
        {
            var next = rest.IndexOfAny("\"-NI"u8);
            if (next < 0)
                break;
            result.Write(rest[..next]);
            rest = rest[next..];
            var taken = rest[0] == '"' ? TakeString(rest, result) : TakeWord(rest, result);
            rest = rest[taken..];
        }
        result.Write(rest);
        return result.WrittenMemory;
    }

    /// <summary>Writes a number as short as it can be read back, one that is not finite as its text.</summary>
    public static void Write(Utf8JsonWriter writer, double number)
    {
        if (double.IsFinite(number))
            writer.WriteNumberValue(number);
        else
            writer.WriteStringValue(Name(number));
    }

    /// <summary>Writes a number as short as it can be read back, one that is not finite as its text.</summary>
    public static void Write(Utf8JsonWriter writer, float number)
    {
        if (float.IsFinite(number))
            writer.WriteNumberValue(number);
        else
            writer.WriteStringValue(Name(number));
    }

    private static string Name(double number) => double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";

    private static int TakeWord(ReadOnlySpan<byte> rest, ArrayBufferWriter<byte> result)
    {
        foreach (var (word, text) in Words)
        {
            if (rest.StartsWith(word))
            {
                result.Write(text);
                return word.Length;
            }
        }
        result.Write(rest[..1]);
        return 1;
    }

    private static int TakeString(ReadOnlySpan<byte> rest, ArrayBufferWriter<byte> result)
    {
        var end = 1;
        while (end < rest.Length && rest[end] != '"')
            end += rest[end] == '\\' ? 2 : 1;
        end = Math.Min(end + 1, rest.Length);
        result.Write(rest[..end]);
        return end;
    }
}
