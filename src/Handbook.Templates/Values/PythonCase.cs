using System.Text;

namespace Handbook.Templates.Values;

/// <summary>
/// Python's full case mappings: .NET's invariant mapping is one character to one, Python's follows Unicode's
/// SpecialCasing.txt, where one may become three.
/// </summary>
internal static class PythonCase
{
    /// <summary>Characters whose upper case is longer, each followed by it (Unicode SpecialCasing.txt); U+1F80 to U+1FAF by rule.</summary>
    private const string LongUpper =
        "\u00DF\u0053\u0053 \u0149\u02BC\u004E \u01F0\u004A\u030C \u0390\u0399\u0308\u0301 \u03B0\u03A5\u0308\u0301 " +
        "\u0587\u0535\u0552 \u1E96\u0048\u0331 \u1E97\u0054\u0308 \u1E98\u0057\u030A \u1E99\u0059\u030A " +
        "\u1E9A\u0041\u02BE \u1F50\u03A5\u0313 \u1F52\u03A5\u0313\u0300 \u1F54\u03A5\u0313\u0301 " +
        "\u1F56\u03A5\u0313\u0342 \u1FB2\u1FBA\u0399 \u1FB3\u0391\u0399 \u1FB4\u0386\u0399 \u1FB6\u0391\u0342 " +
        "\u1FB7\u0391\u0342\u0399 \u1FBC\u0391\u0399 \u1FC2\u1FCA\u0399 \u1FC3\u0397\u0399 \u1FC4\u0389\u0399 " +
        "\u1FC6\u0397\u0342 \u1FC7\u0397\u0342\u0399 \u1FCC\u0397\u0399 \u1FD2\u0399\u0308\u0300 " +
        "\u1FD3\u0399\u0308\u0301 \u1FD6\u0399\u0342 \u1FD7\u0399\u0308\u0342 \u1FE2\u03A5\u0308\u0300 " +
        "\u1FE3\u03A5\u0308\u0301 \u1FE4\u03A1\u0313 \u1FE6\u03A5\u0342 \u1FE7\u03A5\u0308\u0342 \u1FF2\u1FFA\u0399 " +
        "\u1FF3\u03A9\u0399 \u1FF4\u038F\u0399 \u1FF6\u03A9\u0342 \u1FF7\u03A9\u0342\u0399 \u1FFC\u03A9\u0399 " +
        "\uFB00\u0046\u0046 \uFB01\u0046\u0049 \uFB02\u0046\u004C \uFB03\u0046\u0046\u0049 \uFB04\u0046\u0046\u004C " +
        "\uFB05\u0053\u0054 \uFB06\u0053\u0054 \uFB13\u0544\u0546 \uFB14\u0544\u0535 \uFB15\u0544\u053B " +
        "\uFB16\u054E\u0546 \uFB17\u0544\u053D ";

    private static readonly Dictionary<int, string> LongUpperOf =
        LongUpper.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToDictionary(entry => (int)entry[0], entry => entry[1..]);

    public static string Upper(string text) => IsAscii(text) ? text.ToUpperInvariant() : Map(text, AppendUpper);

    public static string Lower(string text) => IsAscii(text) ? text.ToLowerInvariant() : Map(text, AppendLower);

    private static bool IsAscii(string text)
    {
        Budget.Make(text.Length);
        return Ascii.IsValid(text);
    }

    public static string CaseFold(string text) => IsAscii(text) ? text.ToLowerInvariant() : Lower(Upper(text)).Replace('\u03C2', '\u03C3');

    public static string Capitalize(string text) => Map(text, static (source, index, rune, result) =>
    {
        if (index == 0)
            AppendTitle(rune, result);
        else
            AppendLower(source, index, rune, result);
    });

    public static string SwapCase(string text) => Map(text, static (source, index, rune, result) =>
    {
        if (PythonCharacters.IsUpper(rune))
            AppendLower(source, index, rune, result);
        else if (PythonCharacters.IsLower(rune))
            AppendUpper(source, index, rune, result);
        else
            result.Append(rune.ToString());
    });

    /// <summary>Every letter after an uncased character is titled, the others lowered.</summary>
    public static string Title(string text)
    {
        var previousIsCased = false;
        return Map(text, (source, index, rune, result) =>
        {
            if (previousIsCased)
                AppendLower(source, index, rune, result);
            else
                AppendTitle(rune, result);
            previousIsCased = PythonCharacters.IsCased(rune);
        });
    }

    private static string Map(string text, Action<string, int, Rune, StringBuilder> append)
    {
        Budget.Walk(text.Length * 2L);
        var result = new StringBuilder(text.Length + 4);
        for (var i = 0; i < text.Length;)
        {
            if (Rune.TryGetRuneAt(text, i, out var rune))
            {
                append(text, i, rune, result);
                i += rune.Utf16SequenceLength;
            }
            else
            {
                result.Append(text[i++]);
            }
        }
        return result.ToString();
    }

    private static void AppendUpper(string text, int index, Rune rune, StringBuilder result)
    {
        if (LongUpperOf.TryGetValue(rune.Value, out var mapped))
            result.Append(mapped);
        else if (rune.Value is >= 0x1F80 and <= 0x1FAF)
            result.Append((char)((rune.Value & 0xFF7) switch { < 0xF88 => 0x1F08, < 0xF98 => 0x1F28, _ => 0x1F68 } + (rune.Value & 7)))
                .Append('\u0399');
        else
            result.Append(Rune.ToUpperInvariant(rune).ToString());
    }

    private static void AppendTitle(Rune rune, StringBuilder result)
    {
        switch (rune.Value)
        {
            case 0x1FB3 or 0x1FC3 or 0x1FF3: result.Append((char)(rune.Value + 9)); return;
            case >= 0x1F80 and <= 0x1FAF: result.Append((char)(rune.Value | 8)); return;
            case 0x1FBC or 0x1FCC or 0x1FFC or (>= 0x10D0 and <= 0x10FF): result.Append((char)rune.Value); return;
            case >= 0x01C4 and <= 0x01CC: result.Append((char)(((rune.Value - 0x01C4) / 3 * 3) + 0x01C5)); return;
            case >= 0x01F1 and <= 0x01F3: result.Append('\u01F2'); return;
        }
        if (!LongUpperOf.TryGetValue(rune.Value, out var mapped))
            result.Append(Rune.ToUpperInvariant(rune).ToString());
        else if (mapped[^1] == '\u0399' && rune.Value >= 0x1FB2)
            result.Append(mapped, 0, mapped.Length - 1).Append('\u0345');
        else if (rune.Value is 0xDF or 0x587 or >= 0xFB00)
            result.Append(mapped[0]).Append(mapped[1..].ToLowerInvariant());
        else
            result.Append(mapped);
    }

    private static void AppendLower(string text, int index, Rune rune, StringBuilder result)
    {
        if (rune.Value == 0x130)
            result.Append("i\u0307");
        else if (rune.Value == 0x3A3)
            result.Append(IsFinalSigma(text, index) ? '\u03C2' : '\u03C3');
        else
            result.Append(Rune.ToLowerInvariant(rune).ToString());
    }

    /// <summary>Unicode's Final_Sigma: a cased letter before, none after, marks between them ignored.</summary>
    private static bool IsFinalSigma(string text, int index)
    {
        var before = index - 1;
        while (before >= 0 && IsIgnorable(text[before]))
            before--;
        if (before < 0 || !IsCasedUnit(text, before))
            return false;
        var after = index + 1;
        while (after < text.Length && IsIgnorable(text[after]))
            after++;
        return after >= text.Length || !IsCasedUnit(text, after);
    }

    private static bool IsCasedUnit(string text, int index) =>
        Rune.TryGetRuneAt(text, char.IsLowSurrogate(text[index]) && index > 0 ? index - 1 : index, out var rune)
            && PythonCharacters.IsCased(rune);

    private static bool IsIgnorable(char unit) =>
        unit is '\'' or '.' or ':' or '^' or '`' or '\u00A8' or '\u00AD' or '\u00AF' or '\u00B7' or '\u2019'
            || char.GetUnicodeCategory(unit) is System.Globalization.UnicodeCategory.NonSpacingMark
                or System.Globalization.UnicodeCategory.EnclosingMark
                or System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.ModifierLetter
                or System.Globalization.UnicodeCategory.ModifierSymbol;
}
