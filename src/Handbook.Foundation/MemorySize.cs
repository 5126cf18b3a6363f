using System.Globalization;
using System.Text.RegularExpressions;

namespace Handbook;

/// <summary>Amounts of memory as people write them: <c>24GB</c>, <c>24 GiB</c>, <c>900MB</c>.</summary>
public static partial class MemorySize
{
    private static readonly Dictionary<string, double> Units = new(StringComparer.OrdinalIgnoreCase)
    {
        ["B"] = 1, ["KB"] = 1e3, ["MB"] = 1e6, ["GB"] = 1e9, ["TB"] = 1e12, ["M"] = 1e6, ["G"] = 1e9, ["T"] = 1e12,
        ["KiB"] = 1L << 10, ["MiB"] = 1L << 20, ["GiB"] = 1L << 30, ["TiB"] = 1L << 40,
    };

    /// <summary>Bytes.</summary>
    /// <param name="where">Where it stands, for messages.</param>
    /// <param name="text">As written.</param>
    /// <exception cref="UserErrorException">It is no amount above 0.</exception>
    public static long Parse(string where, string text)
    {
        var match = Form().Match(text);
        if (match.Success
            && double.TryParse(match.Groups[1].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && Units.TryGetValue(match.Groups[2].Value, out var unit) && number * unit is >= 1 and < long.MaxValue)
            return (long)(number * unit);
        throw new UserErrorException(
            $"{where} {PrintableText.Line(text)}: is no amount of memory; a number with a unit is expected, such as 24GB.");
    }

    [GeneratedRegex(@"\A\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
