using System.Globalization;

namespace Handbook;

/// <summary>The shortest decimal digits that read back as the same double, and what Python makes of them.</summary>
public static class ShortestDigits
{
    /// <summary>Digits without leading or trailing zeros, and the power of ten of the first; "0" and 0 for zero.</summary>
    /// <param name="value">Finite and not negative.</param>
    public static (string Digits, int Exponent) Of(double value)
    {
        if (value == 0)
            return ("0", 0);
        // Digits and exponent of one text: with more digits 1e-6 is 9.99...e-7.
        var parts = value.ToString("R", CultureInfo.InvariantCulture).Split('E');
        var digits = parts[0].Replace(".", "", StringComparison.Ordinal).Trim('0');
        return (digits, FirstPlace(parts[0]) + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0));
    }

    /// <summary>
    /// Python's <c>repr</c> of a finite double: with an exponent below 1e-4 and from 1e16, always with a point or an exponent.
    /// </summary>
    public static string Repr(double value)
    {
        var (digits, exponent) = Of(Math.Abs(value));
        var sign = double.IsNegative(value) ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture,
                $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
        }
        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        var padded = digits.PadRight(exponent + 2, '0');
        return $"{sign}{padded[..(exponent + 1)]}.{padded[(exponent + 1)..]}";
    }

    /// <summary>The power of ten of a plain number's first digit that is not 0.</summary>
    private static int FirstPlace(string plain)
    {
        var point = plain.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? plain : plain[..point];
        return whole != "0" ? whole.Length - 1 : -plain.AsSpan(point + 1).IndexOfAnyExcept('0') - 1;
    }
}
