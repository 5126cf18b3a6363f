using System.Globalization;
using System.Text;

namespace Handbook.Templates.Values;

/// <summary>Python's classes of characters.</summary>
internal static class PythonCharacters
{
    /// <summary><c>str.isspace</c> of one character, which is also <c>\s</c> and what <c>strip</c> takes.</summary>
    public static bool IsSpace(char unit) =>
        unit <= ' ' ? unit is ' ' or (>= '\t' and <= '\r') or (>= '\x1c' and <= '\x1f') : unit >= '\x85' && char.IsWhiteSpace(unit);

    public static bool IsLineBreak(char unit) =>
        unit is '\n' or '\r' or '\v' or '\f' or (>= '\x1c' and <= '\x1e') or '\x85' or '\u2028' or '\u2029';

    /// <summary><c>\w</c>, or a mark that Jinja2 allows in names.</summary>
    public static bool IsWordAt(string text, int index)
    {
        if (index >= text.Length)
            return false;
        var unit = text[index];
        if (unit < 128)
            return char.IsAsciiLetterOrDigit(unit) || unit == '_';
        return Rune.TryGetRuneAt(text, index, out var rune)
            && Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
                or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter
                or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber
                or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.ConnectorPunctuation;
    }

    public static bool IsIdentifier(string name)
    {
        Budget.Walk(name.Length);
        var first = true;
        foreach (var rune in name.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            var starts = rune.Value == '_' || category <= UnicodeCategory.OtherLetter || category == UnicodeCategory.LetterNumber;
            var continues = category is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation;
            if (!starts && (first || !continues))
                return false;
            first = false;
        }
        return !first;
    }

    public static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator);

    public static bool IsAlpha(Rune rune) => Rune.GetUnicodeCategory(rune) <= UnicodeCategory.OtherLetter;

    public static bool IsDecimal(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber;

    public static bool IsDigit(Rune rune) => IsDecimal(rune) || CharUnicodeInfo.GetDigitValue(rune.ToString(), 0) >= 0;

    public static bool IsNumeric(Rune rune) => IsDigit(rune) || CharUnicodeInfo.GetNumericValue(rune.ToString(), 0) >= 0;

    /// <summary>Cased in Unicode's sense: upper, lower or title case, or a modifier letter derived from one.</summary>
    public static bool IsUpper(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.UppercaseLetter
        || rune.Value is (>= 0x2160 and <= 0x216F) or (>= 0x24B6 and <= 0x24CF) or (>= 0x1F130 and <= 0x1F149)
            or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    public static bool IsLower(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.LowercaseLetter
        || rune.Value is 0xAA or 0xBA or (>= 0x2B0 and <= 0x2B8) or 0x2C0 or 0x2C1 or (>= 0x2E0 and <= 0x2E4) or 0x345 or 0x37A
            or (>= 0x1D2C and <= 0x1D6A) or 0x1D78 or (>= 0x1D9B and <= 0x1DBF) or 0x2071 or 0x207F or (>= 0x2090 and <= 0x209C)
            or (>= 0x2170 and <= 0x217F) or (>= 0x24D0 and <= 0x24E9) or 0x2C7C or 0x2C7D or 0xA69C or 0xA69D or 0xA770
            or 0xA7F8 or 0xA7F9 or (>= 0xAB5C and <= 0xAB5F);

    public static bool IsTitle(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter;

    public static bool IsCased(Rune rune) => IsUpper(rune) || IsLower(rune) || IsTitle(rune);
}
