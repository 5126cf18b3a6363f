using System.Text;

namespace Handbook.Templates.Values;

/// <summary>The <c>str.is...</c> methods.</summary>
internal static class StringTests
{
    public static readonly (string Name, Func<string, bool> Test)[] All =
    [
        ("isalpha", text => Every(text, PythonCharacters.IsAlpha)),
        ("isdigit", text => Every(text, PythonCharacters.IsDigit)),
        ("isdecimal", text => Every(text, PythonCharacters.IsDecimal)),
        ("isnumeric", text => Every(text, PythonCharacters.IsNumeric)),
        ("isalnum", text => Every(text, rune => PythonCharacters.IsAlpha(rune) || PythonCharacters.IsNumeric(rune))),
        ("isspace", IsSpace),
        ("isprintable", text => text.Length == 0 || Every(text, PythonCharacters.IsPrintable)),
        ("isascii", IsAscii),
        ("isidentifier", PythonCharacters.IsIdentifier),
        ("isupper", IsUpper),
        ("islower", IsLower),
        ("istitle", IsTitle),
    ];

    public static bool IsUpper(string text) =>
        AnyCasedAndNone(text, rune => PythonCharacters.IsLower(rune) || PythonCharacters.IsTitle(rune));

    public static bool IsLower(string text) =>
        AnyCasedAndNone(text, rune => PythonCharacters.IsUpper(rune) || PythonCharacters.IsTitle(rune));

    private static bool IsTitle(string text)
    {
        var (anyCased, previousIsCased) = (false, false);
        Budget.Walk(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var starts = PythonCharacters.IsUpper(rune) || PythonCharacters.IsTitle(rune);
            var isCased = starts || PythonCharacters.IsLower(rune);
            if (isCased && starts == previousIsCased)
                return false;
            anyCased |= isCased;
            previousIsCased = isCased;
        }
        return anyCased;
    }

    private static bool AnyCasedAndNone(string text, Func<Rune, bool> wrong)
    {
        var anyCased = false;
        Budget.Walk(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (wrong(rune))
                return false;
            anyCased |= PythonCharacters.IsCased(rune);
        }
        return anyCased;
    }

    private static bool IsSpace(string text)
    {
        Budget.Walk(text.Length);
        return text.Length > 0 && text.All(PythonCharacters.IsSpace);
    }

    private static bool IsAscii(string text)
    {
        Budget.Scan(text.Length);
        return Ascii.IsValid(text);
    }

    private static bool Every(string text, Func<Rune, bool> test)
    {
        Budget.Walk(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!test(rune))
                return false;
        }
        return text.Length > 0;
    }
}
