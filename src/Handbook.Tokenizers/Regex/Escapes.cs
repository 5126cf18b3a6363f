using System.Globalization;

namespace Handbook.Tokenizers.Regex;

/// <summary>What follows a backslash.</summary>
internal static class Escapes
{
    /// <summary>A set such as <c>\s</c> or <c>\p{L}</c>; null, and nothing taken, for anything else.</summary>
    public static CharSet? TryTakeSet(string pattern, ref int at)
    {
        if (at + 1 >= pattern.Length)
            return null;
        var letter = pattern[at + 1];
        if (letter is 'p' or 'P')
            return TakeProperty(pattern, ref at, letter == 'P');
        var set = char.ToLowerInvariant(letter) switch
        {
            's' => NamedSets.Space(),
            'd' => NamedSets.Digit(),
            'w' => NamedSets.Word(),
            'h' => NamedSets.HexDigit(),
            _ => null,
        };
        if (set is not null)
            at += 2;
        return set is not null && char.IsAsciiLetterUpper(letter) ? set.Negate() : set;
    }

    /// <summary>A single character such as <c>\n</c>, <c>\u2581</c> or <c>\.</c>.</summary>
    /// <exception cref="InvalidDataException">The escape is not known.</exception>
    public static int TakeCharacter(string pattern, ref int at)
    {
        if (at + 1 >= pattern.Length)
            throw new InvalidDataException($"the pattern {pattern} ends with a backslash");
        var letter = pattern[at + 1];
        switch (letter)
        {
            case 'n': return Simple('\n', ref at);
            case 'r': return Simple('\r', ref at);
            case 't': return Simple('\t', ref at);
            case 'f': return Simple('\f', ref at);
            case 'v': return Simple('\v', ref at);
            case 'a': return Simple('\a', ref at);
            case 'e': return Simple('\u001B', ref at);
            case '0': return Simple('\0', ref at);
            case 'x' when at + 2 < pattern.Length && pattern[at + 2] == '{':
                var close = pattern.IndexOf('}', at);
                return TakeHex(pattern, ref at, at + 3, close < 0 ? 0 : close - at - 3, 1);
            case 'x': return TakeHex(pattern, ref at, at + 2, 2, 0);
            case 'u': return TakeHex(pattern, ref at, at + 2, 4, 0);
            case var _ when char.IsAsciiLetterOrDigit(letter):
                throw new InvalidDataException($"the pattern {pattern} has \\{letter} at {at}, which is not supported");
            default:
                var codePoint = CharClasses.CodePointAt(pattern, at + 1, out var length);
                at += 1 + length;
                return codePoint;
        }
    }

    private static char Simple(char value, ref int at)
    {
        at += 2;
        return value;
    }

    private static int TakeHex(string pattern, ref int at, int start, int length, int closing)
    {
        if (length is < 1 or > 6 || start + length > pattern.Length
            || !int.TryParse(pattern.AsSpan(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || value > 0x10FFFF)
            throw new InvalidDataException($"the pattern {pattern} has a wrong character number at {at}");
        at = start + length + closing;
        return value;
    }

    private static CharSet TakeProperty(string pattern, ref int at, bool isNegated)
    {
        var (start, end) = (at + 2, at + 3);
        if (start < pattern.Length && pattern[start] == '{')
        {
            start++;
            end = pattern.IndexOf('}', start);
        }
        if (end < 0 || end > pattern.Length)
            throw new InvalidDataException($"the pattern {pattern} has a property without end at {at}");
        var name = pattern[start..end];
        at = Math.Min(pattern.Length, end + (pattern[start - 1] == '{' ? 1 : 0));
        if (name.StartsWith('^'))
            (name, isNegated) = (name[1..], !isNegated);
        var set = NamedSets.Find(name)
            ?? throw new InvalidDataException($"the pattern {pattern} has the property {name}, which is not known");
        return isNegated ? new CharSet().Add(set).Negate() : set;
    }
}
