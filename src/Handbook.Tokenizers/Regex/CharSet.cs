using System.Globalization;
using System.Text;
using Handbook.Tokenizers.Unicode;

namespace Handbook.Tokenizers.Regex;

/// <summary>A set of code points: ranges, Unicode categories, scripts and other sets, perhaps turned round.</summary>
internal sealed class CharSet
{
    private readonly List<(int First, int Last)> _ranges = [];
    private readonly List<(CharSet Set, bool IsNegated)> _sets = [];
    private readonly List<Func<int, bool>> _tests = [];
    private readonly List<CharSet> _alsoIn = [];
    private uint _categories;
    private bool _isNegated;
    private bool _ignoresCase;
    private ulong _asciiLow, _asciiHigh;
    private bool _isClosed;

    /// <summary>Adds a range.</summary>
    public CharSet Add(int first, int last)
    {
        _ranges.Add((first, last));
        return this;
    }

    /// <summary>Adds Unicode categories.</summary>
    public CharSet Add(params ReadOnlySpan<UnicodeCategory> categories)
    {
        foreach (var category in categories)
            _categories |= 1u << (int)category;
        return this;
    }

    /// <summary>Adds another set, or everything outside it.</summary>
    public CharSet Add(CharSet set, bool negated = false)
    {
        _sets.Add((set, negated));
        return this;
    }

    /// <summary>Adds what passes a test.</summary>
    public CharSet Add(Func<int, bool> test)
    {
        _tests.Add(test);
        return this;
    }

    /// <summary>Keeps only what is also in <paramref name="set"/>.</summary>
    public CharSet IntersectWith(CharSet set)
    {
        _alsoIn.Add(set);
        return this;
    }

    /// <summary>Turns the set round.</summary>
    public CharSet Negate()
    {
        _isNegated = !_isNegated;
        return this;
    }

    /// <summary>Makes the set final: tabulates ASCII.</summary>
    /// <param name="ignoreCase">A character also counts when another case of it is in the set.</param>
    public CharSet Close(bool ignoreCase)
    {
        _ignoresCase = ignoreCase;
        for (var codePoint = 0; codePoint < 64; codePoint++)
        {
            _asciiLow |= ContainsSlowly(codePoint) ? 1UL << codePoint : 0;
            _asciiHigh |= ContainsSlowly(codePoint + 64) ? 1UL << codePoint : 0;
        }
        _isClosed = true;
        return this;
    }

    /// <summary>Whether a character is in the set.</summary>
    public bool Contains(int codePoint) => _isClosed && codePoint < 128
        ? ((codePoint < 64 ? _asciiLow >> codePoint : _asciiHigh >> (codePoint - 64)) & 1) != 0
        : ContainsSlowly(codePoint);

    /// <summary>Simple case folding (the two characters that fold into ASCII included).</summary>
    public static int Fold(int codePoint) => codePoint switch
    {
        0x17F => 's',
        0x212A => 'k',
        _ when Rune.TryCreate(codePoint, out var rune) => Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune)).Value,
        _ => codePoint,
    };

    private bool ContainsSlowly(int codePoint)
    {
        if (!_ignoresCase)
            return ContainsExactly(codePoint);
        var folded = Fold(codePoint);
        return ContainsExactly(codePoint) || ContainsExactly(folded) || ContainsExactly(Rune.ToUpperInvariant(new Rune(folded)).Value)
            || (folded == 's' && ContainsExactly(0x17F)) || (folded == 'k' && ContainsExactly(0x212A));
    }

    private bool ContainsExactly(int codePoint) =>
        _isNegated != (IsListed(codePoint) && _alsoIn.TrueForAll(set => set.Contains(codePoint)));

    private bool IsListed(int codePoint)
    {
        foreach (var (first, last) in _ranges)
        {
            if (codePoint >= first && codePoint <= last)
                return true;
        }
        if (_categories != 0 && (_categories >> (int)CharUnicodeInfo.GetUnicodeCategory(codePoint) & 1) != 0)
            return true;
        foreach (var (set, isNegated) in _sets)
        {
            if (set.Contains(codePoint) != isNegated)
                return true;
        }
        foreach (var test in _tests)
        {
            if (test(codePoint))
                return true;
        }
        return false;
    }
}

/// <summary>Sets that have a name.</summary>
internal static class NamedSets
{
    private const string Names = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Zs Zl Zp Cc Cf Cs Co Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Cn";

    private static readonly Dictionary<string, string> LongNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Letter"] = "L", ["Mark"] = "M", ["Number"] = "N", ["Punctuation"] = "P", ["Symbol"] = "S", ["Separator"] = "Z", ["Other"] = "C",
        ["UppercaseLetter"] = "Lu", ["LowercaseLetter"] = "Ll", ["TitlecaseLetter"] = "Lt",
        ["ModifierLetter"] = "Lm", ["OtherLetter"] = "Lo",
        ["NonspacingMark"] = "Mn", ["SpacingMark"] = "Mc", ["EnclosingMark"] = "Me", ["DecimalNumber"] = "Nd", ["LetterNumber"] = "Nl",
        ["OtherNumber"] = "No", ["SpaceSeparator"] = "Zs", ["LineSeparator"] = "Zl", ["ParagraphSeparator"] = "Zp", ["Control"] = "Cc",
        ["Format"] = "Cf", ["PrivateUse"] = "Co", ["Unassigned"] = "Cn", ["ConnectorPunctuation"] = "Pc", ["DashPunctuation"] = "Pd",
        ["OpenPunctuation"] = "Ps", ["ClosePunctuation"] = "Pe", ["InitialPunctuation"] = "Pi", ["FinalPunctuation"] = "Pf",
        ["OtherPunctuation"] = "Po", ["MathSymbol"] = "Sm", ["CurrencySymbol"] = "Sc", ["ModifierSymbol"] = "Sk", ["OtherSymbol"] = "So",
    };

    /// <summary>White space.</summary>
    public static CharSet Space() => new CharSet().Add(CharClasses.IsWhiteSpace);

    /// <summary>Decimal digits.</summary>
    public static CharSet Digit() => new CharSet().Add(UnicodeCategory.DecimalDigitNumber);

    /// <summary>Oniguruma's word characters: no joiners, but the numbers of Latin-1.</summary>
    public static CharSet Word() => new CharSet().Add(codePoint => codePoint is not (0x200C or 0x200D) && CharClasses.IsWord(codePoint))
        .Add(0xB2, 0xB3).Add(0xB9, 0xB9).Add(0xBC, 0xBE);

    /// <summary>Hexadecimal digits.</summary>
    public static CharSet HexDigit() => new CharSet().Add('0', '9').Add('a', 'f').Add('A', 'F');

    /// <summary>A property, a POSIX class or a script by name; null for one that is not known.</summary>
    public static CharSet? Find(string name)
    {
        var plain = name.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (ByCategory(LongNames.GetValueOrDefault(plain, plain)) is { } set)
            return set;
        switch (plain.ToLowerInvariant())
        {
            case "any": return new CharSet().Add(0, 0x10FFFF);
            case "ascii": return new CharSet().Add(0, 0x7F);
            case "space" or "whitespace": return Space();
            case "digit": return Digit();
            case "word": return Word();
            case "xdigit": return HexDigit();
            case "alpha" or "alphabetic": return new CharSet().Add(IsAlphabetic);
            case "alnum": return new CharSet().Add(IsAlphabetic).Add(UnicodeCategory.DecimalDigitNumber);
            case "punct": return ByCategory("P")!.Add(ByCategory("S")!);
            case "upper" or "uppercase": return ByCategory("Lu")!.Add(CharProperties.IsOtherUppercase);
            case "lower" or "lowercase": return ByCategory("Ll")!.Add(CharProperties.IsOtherLowercase);
            case "cntrl": return ByCategory("Cc");
            case "blank": return ByCategory("Zs")!.Add('\t', '\t');
            default:
                var script = Scripts.Instance.Find(plain);
                return script == 0 ? null : new CharSet().Add(codePoint => Scripts.Instance.Of(codePoint) == script);
        }
    }

    private static CharSet? ByCategory(string name)
    {
        var all = Names.Split(' ');
        if (name.Length == 1)
            name = name.ToUpperInvariant();
        var set = new CharSet();
        for (var category = 0; category < all.Length; category++)
        {
            if (name.Length <= 2 && all[category].StartsWith(name, StringComparison.Ordinal))
                set.Add((UnicodeCategory)category);
        }
        return Array.Exists(all, known => name.Length is 1 or 2 && known.StartsWith(name, StringComparison.Ordinal)) ? set : null;
    }

    /// <summary>Letters, letter numbers, circled letters and the marks that spell vowels.</summary>
    private static bool IsAlphabetic(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        <= UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber => true,
        UnicodeCategory.OtherSymbol => CharClasses.IsWord(codePoint),
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark =>
            CharProperties.IsAlphabeticMark(codePoint),
        _ => false,
    };
}
