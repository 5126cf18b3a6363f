using System.Text;

namespace Handbook.Sampling.Endpoints;

/// <summary>The text of a server's reply, whatever its headers say of it.</summary>
internal static class ReplyText
{
    /// <summary>
    /// Decodes a body. JSON is UTF-8 (RFC 8259) unless its bytes say otherwise; the header's <c>charset</c>, which servers misspell
    /// (<c>utf8</c>) or make up, is asked only when the bytes are none of that. Nothing that comes is an error.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> body, string? charset)
    {
        var encoding = Marked(body) ?? (IsUtf8(body) ? Encoding.UTF8 : Named(charset) ?? Encoding.UTF8);
        var preamble = encoding.Preamble;
        return encoding.GetString(body.StartsWith(preamble) ? body[preamble.Length..] : body);
    }

    /// <summary>
    /// The same JSON with <c>\ufffd</c> where an escape is half a surrogate pair: models that speak in bytes make such halves, and
    /// no reader of JSON takes them.
    /// </summary>
    public static string WithoutHalfPairs(string json)
    {
        StringBuilder? whole = null;
        for (var i = json.IndexOf('\\', StringComparison.Ordinal); i >= 0; i = i < json.Length ? json.IndexOf('\\', i) : -1)
        {
            if (Escape(json, i) is not { } unit)
                i += 2;
            else if (char.IsHighSurrogate(unit) && Escape(json, i + 6) is { } low && char.IsLowSurrogate(low))
                i += 12;
            else
            {
                if (char.IsSurrogate(unit))
                    (whole ??= new StringBuilder(json)).Remove(i + 2, 4).Insert(i + 2, "fffd");
                i += 6;
            }
        }
        return whole?.ToString() ?? json;
    }

    /// <summary>The UTF-16 unit of an escape <c>\uXXXX</c> at a place; null when there is none.</summary>
    private static char? Escape(string json, int at) =>
        at + 6 <= json.Length && json[at] == '\\' && json[at + 1] == 'u'
        && ushort.TryParse(json.AsSpan(at + 2, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var unit)
        ? (char)unit : null;

    // A byte order mark, or the zeros that ASCII has in UTF-16.
    private static Encoding? Marked(ReadOnlySpan<byte> body) => body switch
    {
        [0xFF, 0xFE, ..] or [not 0, 0, ..] => Encoding.Unicode,
        [0xFE, 0xFF, ..] or [0, not 0, ..] => Encoding.BigEndianUnicode,
        _ => null,
    };

    private static bool IsUtf8(ReadOnlySpan<byte> body) => System.Text.Unicode.Utf8.IsValid(body);

    private static Encoding? Named(string? charset)
    {
        try
        {
            return charset is null ? null : Encoding.GetEncoding(charset.Trim('"', ' '));
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
