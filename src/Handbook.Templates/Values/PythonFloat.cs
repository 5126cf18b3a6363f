using System.Globalization;
using System.Numerics;

namespace Handbook.Templates.Values;

/// <summary>Python's ways of writing a float: shortest round trip, and exact rounding to a number of digits (ties to even).</summary>
internal static class PythonFloat
{
    /// <summary><c>repr</c>: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e16.</summary>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        Budget.Spend(4);
        return ShortestDigits.Repr(value);
    }

    private static string Exponent(int exponent) =>
        string.Create(CultureInfo.InvariantCulture, $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");

    /// <summary><c>format(value, '.{precision}f')</c> of a finite number without its sign.</summary>
    public static string Fixed(double value, int precision)
    {
        Budget.Spend(16 + ((long)precision * precision / 2000));
        var (mantissa, exponent) = Parts(Math.Abs(value));
        var scaled = mantissa * BigInteger.Pow(10, precision);
        var digits = (exponent >= 0 ? scaled << exponent : RoundedShift(scaled, -exponent)).ToString(CultureInfo.InvariantCulture);
        if (precision == 0)
            return digits;
        digits = digits.PadLeft(precision + 1, '0');
        return $"{digits[..^precision]}.{digits[^precision..]}";
    }

    /// <summary><c>format(value, '.{precision}e')</c> of a finite number without its sign.</summary>
    public static string Scientific(double value, int precision)
    {
        var (digits, exponent) = RoundedDigits(value, precision + 1);
        return (precision == 0 ? digits : $"{digits[0]}.{digits[1..]}") + Exponent(exponent);
    }

    /// <summary><c>format(value, '.{precision}g')</c> of a finite number without its sign.</summary>
    public static string General(double value, int precision, bool keepZeros)
    {
        precision = Math.Max(precision, 1);
        var (digits, exponent) = RoundedDigits(value, precision);
        if (exponent < -4 || exponent >= precision)
        {
            var mantissa = precision == 1 ? digits : $"{digits[0]}.{digits[1..]}";
            return (keepZeros ? mantissa : TrimZeros(mantissa)) + Exponent(exponent);
        }
        var plain = Fixed(value, precision - 1 - exponent);
        return keepZeros ? plain : TrimZeros(plain);
    }

    /// <summary><c>round(value, digits)</c>: exact, ties to even.</summary>
    public static double Round(double value, int digits)
    {
        if (!double.IsFinite(value) || digits > 330)
            return value;
        if (digits >= 0)
        {
            var text = (double.IsNegative(value) ? "-" : "") + Fixed(value, digits);
            return double.Parse(text, CultureInfo.InvariantCulture);
        }
        if (digits < -330)
            return double.IsNegative(value) ? -0.0 : 0.0;
        var (mantissa, exponent) = Parts(Math.Abs(value));
        var unit = BigInteger.Pow(10, -digits);
        var (numerator, denominator) = exponent >= 0 ? (mantissa << exponent, unit) : (mantissa, unit << -exponent);
        var rounded = (double)(RoundedDivide(numerator, denominator) * unit);
        return double.IsNegative(value) ? -rounded : rounded;
    }

    private static string TrimZeros(string number) =>
        number.Contains('.', StringComparison.Ordinal) ? number.TrimEnd('0').TrimEnd('.') : number;

    /// <summary>A number's first <paramref name="count"/> digits, rounded, and the power of ten of the first.</summary>
    private static (string Digits, int Exponent) RoundedDigits(double value, int count)
    {
        Budget.Spend(16 + ((long)count * count / 2000));
        value = Math.Abs(value);
        if (value == 0)
            return (new string('0', count), 0);
        var (mantissa, binary) = Parts(value);
        var exponent = (int)Math.Floor(Math.Log10(value));
        while (true)
        {
            var shift = count - 1 - exponent;
            var numerator = shift > 0 ? mantissa * BigInteger.Pow(10, shift) : mantissa;
            var denominator = shift < 0 ? BigInteger.Pow(10, -shift) : BigInteger.One;
            if (binary > 0) numerator <<= binary; else denominator <<= -binary;
            var digits = RoundedDivide(numerator, denominator).ToString(CultureInfo.InvariantCulture);
            if (digits.Length == count)
                return (digits, exponent);
            exponent += digits.Length > count ? 1 : -1;
        }
    }

    private static (BigInteger Mantissa, int Exponent) Parts(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = bits & 0xFFFFFFFFFFFFF;
        return exponent == 0 ? (mantissa, -1074) : (mantissa | (1L << 52), exponent - 1075);
    }

    private static BigInteger RoundedShift(BigInteger value, int bits) => RoundedDivide(value, BigInteger.One << bits);

    private static BigInteger RoundedDivide(BigInteger numerator, BigInteger denominator)
    {
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        var twice = (remainder << 1).CompareTo(denominator);
        return twice > 0 || (twice == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }
}
