using System.Buffers;
using System.Globalization;
using System.Text;

namespace Handbook;

/// <summary>
/// Text from strangers as it may be shown: what would steer a terminal, break a line or turn the direction of writing is written as
/// an escape (<c>\n</c>, <c>\x1b</c>, <c>\u202e</c>). Letters of every script stay, and so do the joiners that some need.
/// </summary>
public static class PrintableText
{
    private static readonly SearchValues<char> Printable = SearchValues.Create(Enumerable.Range(' ', '~' - ' ' + 1)
        .Select(code => (char)code).ToArray());

    /// <summary>The text on one line.</summary>
    public static string Line(string text) => Escape(text, keepsLines: false);

    /// <summary>The text with its line feeds and tabs.</summary>
    public static string Lines(string text) => Escape(text, keepsLines: true);

    /// <summary>The text on one line of at most so many characters; a longer one says how long it is.</summary>
    public static string Line(string text, int longest) => text.Length <= longest
        ? Line(text)
        : Line(text[..longest]) + string.Create(CultureInfo.InvariantCulture, $"... ({text.Length} characters)");

    private static string Escape(string text, bool keepsLines)
    {
        var first = text.AsSpan().IndexOfAnyExcept(Printable);
        if (first < 0)
            return text;
        var result = new StringBuilder(text.Length + 16).Append(text, 0, first);
        for (var at = first; at < text.Length;)
        {
            var status = Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var length);
            if (status != OperationStatus.Done)
                result.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[at]:x4}");
            else if ((keepsLines && rune.Value is '\n' or '\t') || IsShown(rune))
                result.Append(text, at, length);
            else
                result.Append(EscapeOf(rune.Value));
            at += length;
        }
        return result.ToString();
    }

    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
        // Zero width non-joiner and joiner: Persian, Indic scripts and families of emoji need them.
        UnicodeCategory.Format => rune.Value is 0x200C or 0x200D,
        _ => true,
    };

    private static string EscapeOf(int code) => code switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        <= 0xFF => string.Create(CultureInfo.InvariantCulture, $"\\x{code:x2}"),
        <= 0xFFFF => string.Create(CultureInfo.InvariantCulture, $"\\u{code:x4}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"\\U{code:x8}"),
    };
}
