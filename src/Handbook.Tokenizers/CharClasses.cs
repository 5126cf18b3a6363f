using System.Globalization;
using System.Text;
using Handbook.Tokenizers.Unicode;

namespace Handbook.Tokenizers;

/// <summary>Kinds of character that pre-tokenization asks for.</summary>
[Flags]
internal enum CharKinds : byte
{
    None = 0,

    /// <summary>Unicode L.</summary>
    Letter = 1,

    /// <summary>Unicode N (Nd, Nl, No).</summary>
    Number = 2,

    /// <summary>Unicode White_Space.</summary>
    Space = 4,

    /// <summary>Carriage return or line feed.</summary>
    NewLine = 8,

    /// <summary>Unicode M.</summary>
    Mark = 16,

    /// <summary>Lu, Lt, Lm, Lo or M: what o200k lets a word begin with.</summary>
    UpperLike = 32,

    /// <summary>Ll, Lm, Lo or M: what o200k lets a word go on with.</summary>
    LowerLike = 64,
}

/// <summary>
/// Character kinds by table. Everything is decided by code point: a surrogate pair is one character, unlike in .NET's own
/// regular expressions.
/// </summary>
internal static class CharClasses
{
    /// <summary>Kinds of every UTF-16 code unit; surrogates have none.</summary>
    private static readonly CharKinds[] Table = BuildTable();

    public static CharKinds Of(char unit) => Table[unit];

    public static CharKinds Of(int codePoint) =>
        codePoint < 0x10000 ? Table[codePoint] : FromCategory(codePoint, CharUnicodeInfo.GetUnicodeCategory(codePoint));

    /// <summary>Kinds of the character at <paramref name="index"/> and its length in code units.</summary>
    public static CharKinds At(ReadOnlySpan<char> text, int index, out int length)
    {
        var unit = text[index];
        length = 1;
        return char.IsHighSurrogate(unit) ? AtPair(text, index, out length) : Table[unit];
    }

    public static bool IsWhiteSpace(int codePoint) => (Of(codePoint) & CharKinds.Space) != 0;

    public static bool IsNumeric(int codePoint) => (Of(codePoint) & CharKinds.Number) != 0;

    /// <summary>The regex crate's <c>\w</c>: Alphabetic, M, Nd, Pc and the two joiners (UTS 18 annex C).</summary>
    public static bool IsWord(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark
            or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.DecimalDigitNumber
            or UnicodeCategory.ConnectorPunctuation or UnicodeCategory.LetterNumber => true,
        UnicodeCategory.OtherSymbol => codePoint is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
            or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
        _ => codePoint is 0x200C or 0x200D,
    };

    /// <summary>ASCII punctuation (which counts <c>$+&lt;=&gt;^`|~</c>) or P of Unicode 8.0, as the library has it.</summary>
    public static bool IsPunctuation(int codePoint)
    {
        if (codePoint < 0x80)
            return codePoint is (>= 0x21 and <= 0x2F) or (>= 0x3A and <= 0x40) or (>= 0x5B and <= 0x60) or (>= 0x7B and <= 0x7E);
        var isNow = CharUnicodeInfo.GetUnicodeCategory(codePoint)
            is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;
        return isNow ? !CharProperties.IsNewPunctuation(codePoint) : CharProperties.IsFormerPunctuation(codePoint);
    }

    /// <summary>The character at <paramref name="index"/>; half a pair alone is U+FFFD, as UTF-8 would make it.</summary>
    public static int CodePointAt(ReadOnlySpan<char> text, int index, out int length)
    {
        var unit = text[index];
        length = 1;
        if (!char.IsSurrogate(unit))
            return unit;
        Rune.DecodeFromUtf16(text[index..], out var rune, out length);
        return rune.Value;
    }

    private static CharKinds AtPair(ReadOnlySpan<char> text, int index, out int length) =>
        Of(CodePointAt(text, index, out length));

    private static CharKinds[] BuildTable()
    {
        var table = new CharKinds[0x10000];
        for (var unit = 0; unit < table.Length; unit++)
            table[unit] = FromCategory(unit, CharUnicodeInfo.GetUnicodeCategory((char)unit));
        return table;
    }

    private static CharKinds FromCategory(int codePoint, UnicodeCategory category)
    {
        var space = codePoint < 0x10000 && char.IsWhiteSpace((char)codePoint) ? CharKinds.Space : CharKinds.None;
        if (codePoint is '\r' or '\n')
            space |= CharKinds.NewLine;
        return space | category switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharKinds.Letter | CharKinds.UpperLike,
            UnicodeCategory.LowercaseLetter => CharKinds.Letter | CharKinds.LowerLike,
            UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter =>
                CharKinds.Letter | CharKinds.UpperLike | CharKinds.LowerLike,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharKinds.Number,
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark =>
                CharKinds.Mark | CharKinds.UpperLike | CharKinds.LowerLike,
            _ => CharKinds.None,
        };
    }
}
