using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Handbook.Recipes.Yaml;

/// <summary>
/// What a scalar's text means: YAML 1.1 as PyYAML's SafeLoader resolves and constructs it. Its well-known surprises are
/// kept on purpose: <c>1e-5</c> is text (a float needs a dot, and a sign in its exponent), <c>010</c> is 8, <c>1:30</c>
/// is 90, <c>no</c> is false.
/// </summary>
internal static partial class YamlScalars
{
    public const string TagPrefix = "tag:yaml.org,2002:";
    public const string Null = TagPrefix + "null";
    public const string Boolean = TagPrefix + "bool";
    public const string Integer = TagPrefix + "int";
    public const string Float = TagPrefix + "float";
    public const string Text = TagPrefix + "str";
    public const string Timestamp = TagPrefix + "timestamp";
    public const string Binary = TagPrefix + "binary";
    public const string Merge = TagPrefix + "merge";
    public const string Value = TagPrefix + "value";

    /// <summary>The tag that a plain scalar has by its looks.</summary>
    public static string Resolve(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => Null,
        "<<" => Merge,
        "=" => Value,
        "yes" or "Yes" or "YES" or "no" or "No" or "NO" or "true" or "True" or "TRUE" or "false" or "False" or "FALSE"
            or "on" or "On" or "ON" or "off" or "Off" or "OFF" => Boolean,
        _ when FloatPattern().IsMatch(text) => Float,
        _ when IntegerPattern().IsMatch(text) => Integer,
        _ when TimestampPattern().IsMatch(text) => Timestamp,
        _ => Text,
    };

    /// <summary>The value of <paramref name="text"/> under <paramref name="tag"/>; null when there is none.</summary>
    public static YamlValue? Construct(string tag, string text, YamlPosition position) => tag switch
    {
        Null => new YamlNull(position),
        Boolean => ReadBoolean(text) is { } value ? new YamlBoolean(value, position) : null,
        Integer => ReadInteger(text) is { } value ? new YamlInteger(value, position) : null,
        Float => ReadFloat(text) is { } value ? new YamlFloat(value, position) : null,
        Text => new YamlString(text, position),
        Timestamp => ReadTimestamp(text, position),
        Binary => ReadBinary(text, position),
        _ => null,
    };

    /// <summary>Whether scalars of the tag can be constructed, if they have the right form.</summary>
    public static bool IsKnown(string tag) => tag is Null or Boolean or Integer or Float or Text or Timestamp or Binary or Merge or Value;

    private static bool? ReadBoolean(string text) => text.ToLowerInvariant() switch
    {
        "yes" or "true" or "on" => true,
        "no" or "false" or "off" => false,
        _ => null,
    };

    // The limit of Python's int(), and for its reason: the time of the conversion grows with the square of the length.
    private const int MostDigits = 4300;

    private static BigInteger? ReadInteger(string text)
    {
        if (text.Length > MostDigits)
            return null;
        var (sign, digits) = SplitSign(text.Replace("_", "", StringComparison.Ordinal));
        BigInteger? magnitude = digits switch
        {
            "0" => 0,
            _ when digits.StartsWith("0b", StringComparison.Ordinal) => ReadDigits(digits.AsSpan(2), 2),
            _ when digits.StartsWith("0x", StringComparison.Ordinal) => ReadDigits(digits.AsSpan(2), 16),
            _ when digits.StartsWith('0') => ReadDigits(digits, 8),
            _ when digits.Contains(':', StringComparison.Ordinal) => ReadSexagesimal(digits),
            _ => ReadDigits(digits, 10),
        };
        return sign * magnitude;
    }

    private static BigInteger? ReadDigits(ReadOnlySpan<char> digits, int radix)
    {
        if (digits.IsEmpty)
            return null;
        if (radix == 10)
            return BigInteger.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        BigInteger value = 0;
        foreach (var character in digits)
        {
            var digit = char.IsAsciiHexDigit(character) ? Convert.ToInt32(character.ToString(), 16) : radix;
            if (digit >= radix)
                return null;
            value = value * radix + digit;
        }
        return value;
    }

    private static BigInteger? ReadSexagesimal(string digits)
    {
        BigInteger value = 0;
        foreach (var part in digits.Split(':'))
        {
            if (ReadDigits(part, 10) is not { } digit)
                return null;
            value = value * 60 + digit;
        }
        return value;
    }

    private static double? ReadFloat(string text)
    {
        var (sign, digits) = SplitSign(text.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant());
        if (digits == ".inf")
            return sign * double.PositiveInfinity;
        if (digits == ".nan")
            return double.NaN;
        if (!digits.Contains(':', StringComparison.Ordinal))
            return ReadNumber(digits) * sign;
        var value = 0.0;
        foreach (var part in digits.Split(':'))
        {
            if (ReadNumber(part) is not { } digit)
                return null;
            value = value * 60 + digit;
        }
        return sign * value;
    }

    private static double? ReadNumber(string digits) =>
        double.TryParse(digits, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number)
            ? number : null;

    private static (int Sign, string Digits) SplitSign(string text) => text.Length == 0 ? (1, text) : text[0] switch
    {
        '-' => (-1, text[1..]),
        '+' => (1, text[1..]),
        _ => (1, text),
    };

    private static YamlTimestamp? ReadTimestamp(string text, YamlPosition position)
    {
        var match = TimestampParts().Match(text);
        if (!match.Success)
            return null;
        int Number(string group) => match.Groups[group] is { Success: true, Length: > 0 } found
            ? int.Parse(found.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : 0;
        var (year, month, day) = (Number("year"), Number("month"), Number("day"));
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return null;
        var date = string.Create(CultureInfo.InvariantCulture, $"{year:D4}-{month:D2}-{day:D2}");
        if (!match.Groups["hour"].Success)
            return new YamlTimestamp(date, HasTime: false, position);
        var (hour, minute, second) = (Number("hour"), Number("minute"), Number("second"));
        if (hour > 23 || minute > 59 || second > 59)
            return null;
        var iso = string.Create(CultureInfo.InvariantCulture, $"{date}T{hour:D2}:{minute:D2}:{second:D2}");
        var fraction = match.Groups["fraction"].Value;
        if (fraction.Length > 0 && fraction.PadRight(6, '0')[..6] is var micros && micros != "000000")
            iso += "." + micros;
        if (match.Groups["zulu"].Success)
            iso += "+00:00";
        else if (match.Groups["zone"].Success)
            iso += string.Create(CultureInfo.InvariantCulture,
                $"{match.Groups["zone"].Value}{Number("zoneHour"):D2}:{Number("zoneMinute"):D2}");
        return new YamlTimestamp(iso, HasTime: true, position);
    }

    private static YamlBinary? ReadBinary(string text, YamlPosition position)
    {
        try { return new YamlBinary(Convert.FromBase64String(text), position); }
        catch (FormatException) { return null; }
    }

    [GeneratedRegex(
        @"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|"
        + @"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex FloatPattern();

    [GeneratedRegex(@"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex IntegerPattern();

    [GeneratedRegex(
        @"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ "
        + @"\t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex TimestampPattern();

    [GeneratedRegex(
        @"^(?<year>[0-9]{4})-(?<month>[0-9][0-9]?)-(?<day>[0-9][0-9]?)(?:(?:[Tt]|[ "
        + @"\t]+)(?<hour>[0-9][0-9]?):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(?:\.(?<fraction>[0-9]*))?(?:[ "
        + @"\t]*(?:(?<zulu>Z)|(?<zone>[-+])(?<zoneHour>[0-9][0-9]?)(?::(?<zoneMinute>[0-9]{2}))?))?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex TimestampParts();
}
