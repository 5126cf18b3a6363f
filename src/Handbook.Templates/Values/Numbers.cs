using System.Globalization;
using System.Numerics;

namespace Handbook.Templates.Values;

/// <summary>Python's numbers: ints of any size (long until they outgrow it), floats, and bools, which are ints.</summary>
internal static class Numbers
{
    private const int SmallFrom = -16;
    private static readonly object[] Small = [.. Enumerable.Range(SmallFrom, 1040).Select(i => (object)(long)i)];

    public static readonly object True = true;
    public static readonly object False = false;

    public static object Box(long value) => value is >= SmallFrom and < SmallFrom + 1040 ? Small[(int)value - SmallFrom] : value;

    public static object Box(bool value) => value ? True : False;

    public static object Normalize(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? Box((long)value) : value;

    public static bool IsNumber(object? value) => value is long or double or bool or BigInteger;

    public static bool IsInteger(object? value) => value is long or bool or BigInteger;

    public static BigInteger ToBig(object? value) => value switch
    {
        long number => number,
        bool truth => truth ? 1 : 0,
        BigInteger big => big,
        _ => throw NoNumber(value),
    };

    private static PythonError NoNumber(object? value) => (value as Undefined)?.Fail()
        ?? PythonError.Type($"'{PythonText.TypeName(value)}' object cannot be interpreted as an integer");

    public static double ToDouble(object? value) => value switch
    {
        long number => number,
        double real => real,
        bool truth => truth ? 1 : 0,
        BigInteger big => Rounded(big),
        _ => throw NoNumber(value),
    };

    private static BigInteger Paid(BigInteger value)
    {
        PayFor(value, value);
        return value;
    }

    /// <summary>Pays for work that grows with the product of two integers' lengths.</summary>
    private static void PayFor(BigInteger a, BigInteger b) => Budget.Spend((a.GetBitLength() / 64) * (b.GetBitLength() / 64) / 16);

    /// <summary>The nearest double, ties to even; .NET's own conversion cuts off.</summary>
    private static double Rounded(BigInteger value) =>
        double.Parse(Paid(value).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) is var real
                && double.IsInfinity(real)
            ? throw new PythonError("OverflowError", "int too large to convert to float") : real;

    /// <summary>A value used where Python wants an index-like integer.</summary>
    public static long ToIndex(object? value) => value switch
    {
        long number => number,
        bool truth => truth ? 1 : 0,
        BigInteger => throw new PythonError("OverflowError", "Python int too large to convert to C ssize_t"),
        Undefined undefined => throw undefined.Fail(),
        _ => throw PythonError.Type($"'{PythonText.TypeName(value)}' object cannot be interpreted as an integer"),
    };

    /// <summary>Sign of the comparison, exact between ints and floats; null when a NaN takes part.</summary>
    public static int? Compare(object a, object b)
    {
        if (a is double || b is double)
        {
            if (a is double x && b is double y)
                return double.IsNaN(x) || double.IsNaN(y) ? null : x.CompareTo(y) is var sign && x == y ? 0 : sign;
            return a is double left ? CompareExact(left, ToBig(b)) : -CompareExact((double)b, ToBig(a));
        }
        return a is long i && b is long j ? i.CompareTo(j) : ToBig(a).CompareTo(ToBig(b));
    }

    private static int? CompareExact(double real, BigInteger integer)
    {
        if (double.IsNaN(real))
            return null;
        if (double.IsInfinity(real))
            return real > 0 ? 1 : -1;
        var whole = Math.Floor(real);
        var sign = new BigInteger(whole).CompareTo(integer);
        return sign != 0 ? sign : whole < real ? 1 : 0;
    }

    public static object Add(object a, object b) =>
        a is double || b is double ? ToDouble(a) + ToDouble(b) : Integer((Int128 x, Int128 y) => x + y, BigInteger.Add, a, b);

    public static object Subtract(object a, object b) =>
        a is double || b is double ? ToDouble(a) - ToDouble(b) : Integer((Int128 x, Int128 y) => x - y, BigInteger.Subtract, a, b);

    public static object Multiply(object a, object b) =>
        a is double || b is double ? ToDouble(a) * ToDouble(b) : Integer((Int128 x, Int128 y) => x * y, BigInteger.Multiply, a, b);

    private static object Integer(Func<Int128, Int128, Int128> narrow, Func<BigInteger, BigInteger, BigInteger> wide, object a, object b)
    {
        if (a is BigInteger || b is BigInteger)
        {
            PayFor(ToBig(a), ToBig(b));
            return Normalize(wide(ToBig(a), ToBig(b)));
        }
        var result = narrow(ToIndex(a), ToIndex(b));
        return result >= long.MinValue && result <= long.MaxValue ? Box((long)result) : wide(ToBig(a), ToBig(b));
    }

    public static object Divide(object a, object b)
    {
        if (a is not double && b is not double && (a is BigInteger || b is BigInteger))
            return ToBig(b).IsZero ? throw new PythonError("ZeroDivisionError", "division by zero") : DivideBig(a, b);
        var divisor = ToDouble(b);
        return divisor != 0 ? ToDouble(a) / divisor
            : throw new PythonError("ZeroDivisionError", a is double || b is double ? "float division by zero" : "division by zero");
    }

    private static object DivideBig(object a, object b)
    {
        var (numerator, denominator) = (ToBig(a), ToBig(b));
        PayFor(numerator, denominator);
        var shift = (int)Math.Max(0, 80 + denominator.GetBitLength() - numerator.GetBitLength());
        var quotient = BigInteger.DivRem(numerator << shift, denominator, out var remainder);
        // The lowest of the spare bits stands for everything behind it, so that rounding once is exact.
        if (!remainder.IsZero && quotient.IsEven)
            quotient += remainder.Sign * denominator.Sign;
        return Math.ScaleB(Rounded(quotient), -shift) is var result && double.IsInfinity(result)
            ? throw new PythonError("OverflowError", "integer division result too large for a float") : result;
    }

    public static object FloorDivide(object a, object b)
    {
        if (a is double || b is double)
        {
            var (x, y) = (ToDouble(a), ToDouble(b));
            return y == 0 ? throw new PythonError("ZeroDivisionError", "float floor division by zero") : FloorQuotient(x, y);
        }
        var (dividend, divisor) = (ToBig(a), ToBig(b));
        if (divisor.IsZero)
            throw new PythonError("ZeroDivisionError", "integer division or modulo by zero");
        PayFor(dividend, divisor);
        var quotient = BigInteger.DivRem(dividend, divisor, out var remainder);
        return Normalize(!remainder.IsZero && (remainder.Sign < 0) != (divisor.Sign < 0) ? quotient - 1 : quotient);
    }

    /// <summary>CPython's float_floor_div: from the remainder, so that it agrees with <c>%</c>.</summary>
    private static double FloorQuotient(double x, double y)
    {
        var remainder = x % y;
        var quotient = (x - remainder) / y;
        if (remainder != 0 && (y < 0) != (remainder < 0))
            quotient -= 1;
        if (quotient == 0)
            return Math.CopySign(0.0, x / y);
        var floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    public static object Modulo(object a, object b)
    {
        if (a is double || b is double)
        {
            var (x, y) = (ToDouble(a), ToDouble(b));
            if (y == 0)
                throw new PythonError("ZeroDivisionError", "float modulo");
            var rest = x % y;
            if (rest == 0)
                return Math.CopySign(0.0, y);
            return (y < 0) != (rest < 0) ? rest + y : rest;
        }
        if (a is long i && b is long j && j > 0)
            return Box(i % j is var r && r < 0 ? r + j : r);
        var divisor = ToBig(b);
        if (divisor.IsZero)
            throw new PythonError("ZeroDivisionError", "integer modulo by zero");
        PayFor(ToBig(a), divisor);
        var remainder = BigInteger.Remainder(ToBig(a), divisor);
        return Normalize(!remainder.IsZero && (remainder.Sign < 0) != (divisor.Sign < 0) ? remainder + divisor : remainder);
    }

    public static object Power(object a, object b, int maxBits)
    {
        if (a is double || b is double || ToBig(b).Sign < 0)
        {
            var (x, y) = (ToDouble(a), ToDouble(b));
            if (x == 0 && y < 0)
                throw new PythonError("ZeroDivisionError", "0.0 cannot be raised to a negative power");
            var result = Math.Pow(x, y);
            if (double.IsNaN(result) && !double.IsNaN(x) && !double.IsNaN(y))
                throw PythonError.Type("a negative number to a fractional power is complex, which templates cannot use");
            return double.IsInfinity(result) && double.IsFinite(x) && double.IsFinite(y)
                ? throw new PythonError("OverflowError", "(34, 'Numerical result out of range')") : result;
        }
        var (value, exponent) = (ToBig(a), ToBig(b));
        if (BigInteger.Abs(value) > 1 && exponent * (BigInteger.Abs(value).GetBitLength() - 1) > maxBits)
            throw PythonError.Limit($"an integer of more than {maxBits.ToString(CultureInfo.InvariantCulture)} bits");
        Budget.Spend(maxBits / 64 * (maxBits / 64) / 16 * (BigInteger.Abs(value) > 1 && exponent > 64 ? 1 : 0));
        return Normalize(BigInteger.Abs(value) <= 1
            ? value.Sign == 0 && !exponent.IsZero ? 0 : value.Sign < 0 && !exponent.IsEven ? -1 : 1
            : BigInteger.Pow(value, (int)exponent));
    }

    public static object Negate(object value) => value is double real ? -real : Normalize(-ToBig(value));

    /// <summary><c>int(text, radix)</c>; null when Python raises ValueError.</summary>
    public static object? ParseInteger(string text, int radix)
    {
        Budget.Scan(text.Length);
        var digits = text.Trim(' ', '\t', '\n', '\r', '\v', '\f');
        var sign = digits.StartsWith('-') ? -1 : 1;
        digits = digits.StartsWith('-') || digits.StartsWith('+') ? digits[1..] : digits;
        var prefix = digits.Length > 1 && digits[0] == '0'
            ? char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (prefix != 0 && (radix == prefix || radix == 0))
            (digits, radix) = (digits[2..].TrimStart('_'), prefix);
        else if (radix == 0)
            radix = digits.Length > 1 && digits[0] == '0' && digits.Trim('0', '_').Length > 0 ? -1 : 10;
        if (digits.Length is 0 or > 4300 || radix < 0 || digits[0] == '_' || digits[^1] == '_'
            || digits.Contains("__", StringComparison.Ordinal))
            return null;
        Budget.Spend((long)digits.Length * digits.Length / 512);
        var value = BigInteger.Zero;
        foreach (var symbol in digits.Replace("_", "", StringComparison.Ordinal))
        {
            var digit = char.IsAsciiDigit(symbol) ? symbol - '0' : char.IsAsciiLetter(symbol) ? char.ToLowerInvariant(symbol) - 'a' + 10
                : char.IsDigit(symbol) ? (int)char.GetNumericValue(symbol) : 99;
            if (digit >= radix)
                return null;
            value = (value * radix) + digit;
        }
        return Normalize(value * sign);
    }

    /// <summary><c>float(text)</c>; null when Python raises ValueError.</summary>
    public static double? ParseFloat(string text)
    {
        Budget.Walk(text.Length);
        var start = 0;
        var end = text.Length;
        while (start < end && PythonCharacters.IsSpace(text[start])) start++;
        while (end > start && PythonCharacters.IsSpace(text[end - 1])) end--;
        var trimmed = text[start..end];
        switch (trimmed.TrimStart('+', '-').ToLowerInvariant())
        {
            case "inf" or "infinity" when trimmed.Length - trimmed.TrimStart('+', '-').Length <= 1:
                return trimmed[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            case "nan" when trimmed.Length <= 4: return double.NaN;
        }
        for (var i = 0; i < trimmed.Length; i++)
        {
            if (trimmed[i] == '_'
                && !(i > 0 && i + 1 < trimmed.Length && char.IsAsciiDigit(trimmed[i - 1]) && char.IsAsciiDigit(trimmed[i + 1])))
                return null;
        }
        const NumberStyles Styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(trimmed.Replace("_", "", StringComparison.Ordinal), Styles, CultureInfo.InvariantCulture, out var value)
            && trimmed.AsSpan().IndexOfAnyInRange('0', '9') >= 0 ? value : null;
    }

    /// <summary><c>int(real)</c>.</summary>
    public static object Truncate(double real)
    {
        if (double.IsNaN(real))
            throw PythonError.Value("cannot convert float NaN to integer");
        return double.IsInfinity(real)
            ? throw new PythonError("OverflowError", "cannot convert float infinity to integer")
            : Normalize(new BigInteger(Math.Truncate(real)));
    }
}
