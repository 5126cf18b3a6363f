using System.Globalization;
using System.Numerics;

namespace Handbook.Templates.Values;

/// <summary>The methods and properties of ints (bools are ints) and floats.</summary>
internal static class NumberMethods
{
    public static bool TryGet(object? self, string name, out object? value)
    {
        value = self switch
        {
            double real => OfReal(real, name),
            long or bool or BigInteger => OfInteger(Numbers.ToBig(self), name),
            _ => null,
        };
        return value is not null;
    }

    private static object? OfReal(double real, string name) => name switch
    {
        "real" => real,
        "imag" => 0.0,
        "is_integer" => Method(name, () => Numbers.Box(double.IsFinite(real) && Math.Floor(real) == real)),
        "conjugate" => Method(name, () => real),
        "as_integer_ratio" => Method(name, () => Ratio(real)),
        "hex" => Method(name, () => Hexadecimal(real)),
        "fromhex" => new BuiltinFunction(name, (_, arguments) => FromHexadecimal(new Signature("fromhex", 1, "string").Bind(arguments)[0])),
        _ => null,
    };

    private static object? OfInteger(BigInteger number, string name) => name switch
    {
        "real" or "numerator" => Numbers.Normalize(number),
        "imag" => Numbers.Box(0L),
        "denominator" => Numbers.Box(1L),
        "conjugate" => Method(name, () => Numbers.Normalize(number)),
        "is_integer" => Method(name, () => Numbers.True),
        "as_integer_ratio" => Method(name, () => new TupleValue(Numbers.Normalize(number), 1L)),
        "bit_length" => Method(name, () => Numbers.Box((long)BigInteger.Abs(number).GetBitLength())),
        "bit_count" => Method(name, () => Numbers.Box((long)BigInteger.PopCount(BigInteger.Abs(number)))),
        "to_bytes" => new BuiltinFunction(name, (_, arguments) => BytesMethods.OfInteger(number, arguments)),
        "from_bytes" => new BuiltinFunction(name, BytesMethods.ToInteger),
        _ => null,
    };

    private static BuiltinFunction Method(string name, Func<object?> body) => new(name, (_, arguments) =>
    {
        new Signature(name, 0).Bind(arguments);
        return body();
    });

    /// <summary>The mantissa's fraction in lowest terms.</summary>
    private static TupleValue Ratio(double real)
    {
        if (!double.IsFinite(real))
            throw double.IsNaN(real) ? PythonError.Value("cannot convert NaN to integer ratio")
                : new PythonError("OverflowError", "cannot convert Infinity to integer ratio");
        var (mantissa, exponent) = Parts(real);
        var (numerator, denominator) = exponent >= 0 ? (mantissa << exponent, BigInteger.One) : (mantissa, BigInteger.One << -exponent);
        var common = numerator.IsZero ? denominator : BigInteger.GreatestCommonDivisor(numerator, denominator);
        return new TupleValue(Numbers.Normalize(numerator / common), Numbers.Normalize(denominator / common));
    }

    private static (BigInteger Mantissa, int Exponent) Parts(double real)
    {
        var bits = BitConverter.DoubleToInt64Bits(real);
        var (exponent, mantissa) = ((int)(bits >> 52) & 0x7FF, bits & 0xFFFFFFFFFFFFFL);
        return (exponent == 0 ? mantissa : mantissa | (1L << 52), Math.Max(exponent, 1) - 1075) is var (magnitude, power)
            ? (real < 0 ? -(BigInteger)magnitude : magnitude, power) : default;
    }

    private static string Hexadecimal(double real)
    {
        if (!double.IsFinite(real))
            return PythonFloat.Repr(real);
        var bits = BitConverter.DoubleToInt64Bits(real);
        var (exponent, mantissa) = ((int)(bits >> 52) & 0x7FF, bits & 0xFFFFFFFFFFFFFL);
        var sign = bits < 0 ? "-" : "";
        if (exponent == 0 && mantissa == 0)
            return sign + "0x0.0p+0";
        var power = Math.Max(exponent, 1) - 1023;
        return string.Create(CultureInfo.InvariantCulture,
            $"{sign}0x{(exponent == 0 ? 0 : 1)}.{mantissa:x13}p{(power < 0 ? "-" : "+")}{Math.Abs(power)}");
    }

    private static object FromHexadecimal(object? value)
    {
        var text = (Operations.AsText(value) ?? throw PythonError.Type("bad argument type for built-in operation")).Trim()
            .ToLowerInvariant();
        var digits = text.TrimStart('+', '-');
        var isNegative = text.StartsWith('-');
        if (text.Length - digits.Length <= 1 && text.Length < 1000)
        {
            if (digits is "inf" or "infinity" or "nan")
                return digits == "nan" ? double.NaN : isNegative ? double.NegativeInfinity : double.PositiveInfinity;
            if (TryParse(digits.StartsWith("0x", StringComparison.Ordinal) ? digits[2..] : digits, out var real))
                return isNegative ? -real : real;
        }
        throw PythonError.Value("invalid hexadecimal floating-point string");
    }

    private static bool TryParse(string digits, out double real)
    {
        real = 0;
        var exponentAt = digits.IndexOf('p', StringComparison.Ordinal);
        var mantissa = exponentAt < 0 ? digits : digits[..exponentAt];
        var exponent = 0;
        if (exponentAt >= 0
            && (digits.Length - exponentAt > 7
                || !int.TryParse(digits[(exponentAt + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)))
            return false;
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var all = point < 0 ? mantissa : mantissa.Remove(point, 1);
        if (all.Length == 0 || !all.All(char.IsAsciiHexDigit))
            return false;
        var number = BigInteger.Parse("0" + all, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var shift = exponent - (point < 0 ? 0 : 4 * (mantissa.Length - point - 1));
        // Rounded once: as a quotient of whole numbers.
        real = number.IsZero ? 0 : Math.Abs(shift) > 5000
            ? (shift > 0 ? throw new PythonError("OverflowError", "hexadecimal value too large to represent as a float") : 0)
            : Numbers.ToDouble(Numbers.Divide(shift >= 0 ? Numbers.Normalize(number << shift) : Numbers.Normalize(number),
                Numbers.Normalize(BigInteger.One << Math.Max(0, -shift))));
        return true;
    }
}
