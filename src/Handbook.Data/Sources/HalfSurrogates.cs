using System.Globalization;
using System.Text;

namespace Handbook.Data.Sources;

/// <summary>Finds escapes of half a surrogate pair (<c>\ud83d</c> without the other half), of which no text can be made.</summary>
internal static class HalfSurrogates
{
    /// <summary>Where the first one stands in valid JSON, in words; null when there is none.</summary>
    public static string? Find(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("\\ud"u8) < 0 && json.IndexOf("\\uD"u8) < 0)
            return null;
        for (var at = 0; at < json.Length; at++)
        {
            var next = json[at..].IndexOf((byte)'\\');
            if (next < 0)
                return null;
            at += next;
            var unit = Unit(json, at);
            if (unit is < 0xD800 or > 0xDFFF)
                at++;
            else if (unit < 0xDC00 && Unit(json, at + 6) is >= 0xDC00 and <= 0xDFFF)
                at += 11;
            else
                return FormattableString.Invariant(
                    $"half a surrogate pair ({Encoding.ASCII.GetString(json.Slice(at, 6))}) at column {at + 1}");
        }
        return null;
    }

    /// <summary>The UTF-16 unit of an escape at a place, or 0.</summary>
    private static int Unit(ReadOnlySpan<byte> json, int at) =>
        at + 6 <= json.Length && json[at] == '\\' && json[at + 1] == 'u'
        && int.TryParse(json.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit) ? unit : 0;
}
