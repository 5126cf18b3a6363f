using System.Numerics;
using System.Text;

namespace Handbook.Templates.Values;

/// <summary>Python's <c>format % values</c>.</summary>
internal static class PercentFormat
{
    public static string Apply(RenderContext context, string format, object? values)
    {
        var reader = new Reader(context, format, values);
        return reader.Run();
    }

    private sealed class Reader(RenderContext context, string format, object? values)
    {
        private readonly StringBuilder _result = new();
        private int _at;
        private int _next;

        public string Run()
        {
            while (_at < format.Length)
            {
                var unit = format[_at++];
                if (unit != '%')
                    _result.Append(unit);
                else
                    ReadOne();
                context.CheckLength(_result.Length);
            }
            if (values is TupleValue tuple
                ? _next < tuple.Items.Length
                : _next == 0 && values is not (DictValue or ListValue or RangeValue or Undefined or NamespaceValue))
                throw PythonError.Type("not all arguments converted during string formatting");
            return _result.ToString();
        }

        private char Peek() => _at < format.Length ? format[_at] : throw PythonError.Value("incomplete format");

        private void ReadOne()
        {
            object? given = Signature.Missing;
            if (Peek() == '(')
                given = ReadKeyed();
            var (left, plus, space, zero, alternate) = (false, false, false, false, false);
            for (; Peek() is '-' or '+' or ' ' or '0' or '#'; _at++)
            {
                switch (format[_at])
                {
                    case '-': left = true; break;
                    case '+': plus = true; break;
                    case ' ': space = true; break;
                    case '0': zero = true; break;
                    default: alternate = true; break;
                }
            }
            var width = ReadSize();
            if (width < 0)
                (left, width) = (true, -width);
            int? precision = null;
            if (Peek() == '.')
            {
                _at++;
                precision = (int)Math.Max(0, ReadSize());
            }
            if (Peek() is 'l' or 'h' or 'L')
                _at++;
            var type = Peek();
            _at++;
            var spec = new NumberSpec
            {
                Align = left ? '<' : zero ? '=' : '>', Fill = zero && !left ? "0" : " ", Sign = plus ? '+' : space ? ' ' : '-',
                Alternate = alternate, Width = width, Precision = precision, Type = type,
            };
            if (type == '%')
                _result.Append('%');
            else
                _result.Append(Convert(spec, given == Signature.Missing ? Next() : given));
        }

        private object? ReadKeyed()
        {
            if (values is not DictValue dict)
                throw PythonError.Type("format requires a mapping");
            var start = ++_at;
            for (var depth = 1; depth > 0; _at++)
                depth += _at < format.Length ? format[_at] switch { '(' => 1, ')' => -1, _ => 0 }
                    : throw PythonError.Value("incomplete format key");
            var key = format[start..(_at - 1)];
            _next = 1;
            return dict.TryGetValue(key, out var value) ? value : throw new PythonError("KeyError", PythonText.ReprOf(key));
        }

        private long ReadSize()
        {
            if (Peek() == '*')
            {
                _at++;
                var given = Next();
                return given is long or bool ? Numbers.ToIndex(given) : throw PythonError.Type("* wants int");
            }
            var size = 0L;
            for (; char.IsAsciiDigit(Peek()); _at++)
                size = size > 100_000_000 ? throw PythonError.Value("width too big") : (size * 10) + (format[_at] - '0');
            return size;
        }

        private object? Next()
        {
            if (values is TupleValue tuple)
                return _next < tuple.Items.Length ? tuple.Items[_next++] : throw PythonError.Type("not enough arguments for format string");
            return _next++ == 0 ? values : throw PythonError.Type("not enough arguments for format string");
        }

        private string Convert(NumberSpec spec, object? value)
        {
            switch (spec.Type)
            {
                case 's' or 'r' or 'a':
                    var text = spec.Type switch
                    {
                        's' => PythonText.Of(value),
                        'r' => PythonText.ReprOf(value),
                        _ => PythonText.AsciiOf(value),
                    };
                    if (spec.Precision is { } length)
                        text = CodePoints.Slice(text, SliceBounds.Of(CodePoints.Length(text), null, length, null));
                    return (spec with { Align = spec.Align == '<' ? '<' : '>', Fill = " " }).Padded(context, text, '>');
                case 'd' or 'i' or 'u':
                    return Digits(spec, ToInteger(value, spec.Type, truncate: true));
                case 'x' or 'X' or 'o':
                    return Digits(spec, ToInteger(value, spec.Type, truncate: false));
                case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                    return spec.Real(context, ToReal(value));
                case 'c':
                    return (spec with { Align = spec.Align == '<' ? '<' : '>', Fill = " " }).Padded(context, Character(value), '>');
            }
            throw PythonError.Value($"unsupported format character '{spec.Type}' (0x{(int)spec.Type:x}) at index {_at - 1}");
        }

        /// <summary>In <c>%</c>, a precision of an integer is its least number of digits.</summary>
        private string Digits(NumberSpec spec, BigInteger value)
        {
            if (spec.Precision is not { } digits)
                return spec.Integer(context, value);
            context.CheckLength(digits);
            var bare = new NumberSpec { Type = spec.Type, Fill = "0", Align = '=', Sign = spec.Sign, Alternate = spec.Alternate };
            var signs = (value.Sign < 0 || spec.Sign != '-' ? 1 : 0) + (spec.Alternate && spec.Type is 'x' or 'X' or 'o' ? 2 : 0);
            return (spec with { Align = spec.Align == '=' ? '>' : spec.Align })
                .Padded(context, (bare with { Width = digits + signs }).Integer(context, value), '>');
        }

        private static BigInteger ToInteger(object? value, char type, bool truncate) => value switch
        {
            double real when truncate => Numbers.ToBig(Numbers.Truncate(real)),
            long or bool or BigInteger => Numbers.ToBig(value),
            Undefined undefined when truncate => throw undefined.Fail(),
            _ => throw PythonError.Type(
                $"%{type} format: {(truncate ? "a real number" : "an integer")} is required, not {PythonText.TypeName(value)}"),
        };

        private static double ToReal(object? value) => Numbers.IsNumber(value) ? Numbers.ToDouble(value!)
            : value is Undefined undefined ? throw undefined.Fail()
            : throw PythonError.Type($"must be real number, not {PythonText.TypeName(value)}");

        private static string Character(object? value)
        {
            if (Operations.AsText(value) is { } text && CodePoints.Length(text) == 1)
                return text;
            if (value is bool or long && Numbers.ToIndex(value) is var code and >= 0 and <= 0x10FFFF)
                return code is >= 0xD800 and < 0xE000 ? ((char)code).ToString() : char.ConvertFromUtf32((int)code);
            throw value is long
                ? new PythonError("OverflowError", "%c arg not in range(0x110000)") : PythonError.Type("%c requires int or char");
        }
    }
}
