using System.Globalization;
using System.Numerics;
using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>Filters that make or change numbers.</summary>
internal static class NumberFilters
{
    public static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["abs"] = new("abs", 1, ["x"], (_, v) => Absolute(v[0])),
        ["int"] = new("do_int", 1, ["value", "default", "base"],
            (_, v) => ToInteger(v[0], FilterTable.Index(v[2], 10), out var number) ? number : FilterTable.Or(v[1], 0L)),
        ["float"] = new("do_float", 1, ["value", "default"], (_, v) => ToFloat(v[0], out var real) ? real : FilterTable.Or(v[1], 0.0)),
        ["round"] = new("do_round", 1, ["value", "precision", "method"], Round),
        ["filesizeformat"] = new("do_filesizeformat", 1, ["value", "binary"], (_, v) => FileSize(v[0], FilterTable.Flag(v[1]))),
    };

    private static object Absolute(object? value) => value switch
    {
        double real => Math.Abs(real),
        long or bool or BigInteger => Numbers.Normalize(BigInteger.Abs(Numbers.ToBig(value))),
        _ => throw PythonError.Type($"bad operand type for abs(): '{PythonText.TypeName(value)}'"),
    };

    private static bool ToInteger(object? value, long radix, out object? number)
    {
        if (Operations.AsText(value) is { } text)
        {
            number = radix is 0 or (>= 2 and <= 36) ? Numbers.ParseInteger(text, (int)radix) : null;
            if (number is null && Numbers.ParseFloat(text) is { } parsed && double.IsFinite(parsed))
                number = Numbers.Truncate(parsed);
            return number is not null;
        }
        number = value switch
        {
            double real when double.IsNaN(real) => null,
            double real => Numbers.Truncate(real),
            long or bool or BigInteger => Arithmetic.Plus(value),
            Undefined undefined => throw undefined.Fail(),
            _ => null,
        };
        return number is not null;
    }

    private static bool ToFloat(object? value, out object? real)
    {
        real = Operations.AsText(value) is { } text ? Numbers.ParseFloat(text)
            : Numbers.IsNumber(value) ? Numbers.ToDouble(value!)
            : value is Undefined undefined ? throw undefined.Fail() : null;
        return real is not null;
    }

    private static object Round(RenderContext context, object?[] v)
    {
        var method = PythonText.Of(FilterTable.Or(v[2], "common"));
        if (method is not ("common" or "ceil" or "floor"))
            throw PythonError.FilterArgument("method must be common, ceil or floor");
        if (!Numbers.IsNumber(v[0]))
            throw PythonError.Type(method == "common"
                ? $"type {PythonText.TypeName(v[0])} doesn't define __round__ method"
                : $"must be real number, not {PythonText.TypeName(v[0])}");
        if (method != "common")
        {
            var scale = Numbers.Power(10L, FilterTable.Or(v[1], 0L) ?? 0L, context.Limits.MaxIntegerBits);
            var scaled = Numbers.ToDouble(Numbers.Multiply(v[0]!, scale));
            return Numbers.Divide(Numbers.Truncate(method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)), scale);
        }
        var precision = v[1] is null ? 0 : FilterTable.Index(v[1], 0);
        if (v[0] is double real)
            return PythonFloat.Round(real, (int)Math.Clamp(precision, -100_000, 100_000));
        return precision >= 0 ? Arithmetic.Plus(v[0]) : RoundInteger(Numbers.ToBig(v[0]!), -precision);
    }

    /// <summary>To a multiple of a power of ten, ties to the even multiple.</summary>
    private static object RoundInteger(BigInteger value, long zeros)
    {
        if (zeros > 6000)
            return Numbers.Box(0L);
        var unit = BigInteger.Pow(10, (int)zeros);
        var quotient = BigInteger.DivRem(BigInteger.Abs(value), unit, out var rest);
        var twice = (rest * 2).CompareTo(unit);
        var rounded = (twice > 0 || (twice == 0 && !quotient.IsEven) ? quotient + 1 : quotient) * unit;
        return Numbers.Normalize(value.Sign < 0 ? -rounded : rounded);
    }

    private static string FileSize(object? value, bool binary)
    {
        if (!ToFloat(value, out var real))
            throw Operations.AsText(value) is { } text ? PythonError.Value($"could not convert string to float: {PythonText.ReprOf(text)}")
                : PythonError.Type($"float() argument must be a string or a real number, not '{PythonText.TypeName(value)}'");
        var bytes = (double)real!;
        var unit = binary ? 1024.0 : 1000.0;
        if (bytes == 1)
            return "1 Byte";
        if (bytes < unit)
            return PythonText.ReprOf(Numbers.Truncate(bytes)) + " Bytes";
        var size = unit;
        foreach (var prefix in "KMGTPEZY")
        {
            if (bytes < size * unit || prefix == 'Y')
                return $"{PythonFloat.Fixed(unit * bytes / (size * unit), 1)} "
                    + $"{(prefix == 'K' && !binary ? 'k' : prefix)}{(binary ? "iB" : "B")}";
            size *= unit;
        }
        return bytes.ToString(CultureInfo.InvariantCulture);
    }
}
