using System.Text;

namespace Handbook.Templates.Values;

/// <summary>Python's <c>str.format</c> as the sandbox allows it: attributes and items go through the sandbox's own rules.</summary>
internal static class BraceFormat
{
    public static string Apply(RenderContext context, string format, Arguments arguments) =>
        context.Checked(new Formatter(context, arguments.Positional, Named(arguments)).Run(format, 2));

    public static string ApplyMap(RenderContext context, string format, Arguments arguments)
    {
        arguments.RejectNamed("format_map");
        if (arguments.Positional.Length != 1)
            throw PythonError.Type($"format_map() takes exactly one argument ({arguments.Positional.Length} given)");
        var mapping = arguments.Positional[0] as DictValue ?? throw PythonError.Type("format_map() wants a mapping");
        return context.Checked(new Formatter(context, [], mapping).Run(format, 2));
    }

    private static DictValue Named(Arguments arguments) =>
        arguments.Named.Aggregate(new DictValue(), (dict, entry) => dict.Set(entry.Key, entry.Value));

    private sealed class Formatter(RenderContext context, object?[] positional, DictValue named)
    {
        private int _next;

        public string Run(string format, int depth)
        {
            if (depth < 0)
                throw PythonError.Value("Max string recursion exceeded");
            var result = new StringBuilder();
            for (var i = 0; i < format.Length; i++)
            {
                var unit = format[i];
                var isDouble = i + 1 < format.Length && format[i + 1] == unit;
                if (unit is not ('{' or '}'))
                    result.Append(unit);
                else if (isDouble)
                    result.Append(format[i++]);
                else if (unit == '}')
                    throw PythonError.Value("Single '}' encountered in format string");
                else
                    i = Field(format, i + 1, depth, result);
                context.CheckLength(result.Length);
            }
            return result.ToString();
        }

        /// <summary>Writes the field that begins at <paramref name="start"/>; returns where its brace closes.</summary>
        private int Field(string format, int start, int depth, StringBuilder result)
        {
            var open = 1;
            var end = start;
            for (; end < format.Length; end++)
            {
                open += format[end] switch { '{' => 1, '}' => -1, _ => 0 };
                if (open == 0)
                    break;
            }
            if (end >= format.Length)
                throw PythonError.Value(start >= format.Length
                    ? "Single '{' encountered in format string" : "expected '}' before end of string");
            var body = format[start..end];
            var nameEnd = NameEnd(body);
            var conversion = '\0';
            var rest = nameEnd;
            if (rest < body.Length && body[rest] == '!')
            {
                conversion = rest + 1 < body.Length ? body[rest + 1]
                    : throw PythonError.Value("end of string while looking for conversion specifier");
                rest += 2;
                if (rest < body.Length && body[rest] != ':')
                    throw PythonError.Value("expected ':' after conversion specifier");
            }
            var spec = rest < body.Length ? Run(body[(rest + 1)..], depth - 1) : "";
            var value = Resolve(body[..nameEnd]);
            value = conversion switch
            {
                '\0' => value,
                's' => PythonText.Of(value),
                'r' => PythonText.ReprOf(value),
                'a' => PythonText.AsciiOf(value),
                _ => throw PythonError.Value($"Unknown conversion specifier {conversion}"),
            };
            result.Append(FormatSpec.Apply(context, value, spec));
            return end;
        }

        private static int NameEnd(string body)
        {
            var inBrackets = false;
            for (var i = 0; i < body.Length; i++)
            {
                inBrackets = body[i] switch { '[' => true, ']' => false, _ => inBrackets };
                if (!inBrackets && body[i] is '!' or ':')
                    return i;
            }
            return body.Length;
        }

        private object? Resolve(string field)
        {
            var end = field.AsSpan().IndexOfAny('.', '[');
            var first = end < 0 ? field : field[..end];
            var value = First(first);
            for (var at = end < 0 ? field.Length : end; at < field.Length;)
            {
                if (field[at] == '.')
                {
                    var stop = field.AsSpan(at + 1).IndexOfAny('.', '[') is >= 0 and var found ? at + 1 + found : field.Length;
                    value = Members.GetAttribute(value, NotEmpty(field[(at + 1)..stop]));
                    at = stop;
                }
                else if (field[at] == '[' && field.IndexOf(']', at) is >= 0 and var close)
                {
                    var key = NotEmpty(field[(at + 1)..close]);
                    value = Members.GetItem(value, key.All(char.IsAsciiDigit) ? Numbers.ParseInteger(key, 10) : key);
                    at = close + 1;
                }
                else
                {
                    throw PythonError.Value(field[at] == '['
                        ? "Missing ']' in format string" : "Only '.' or '[' may follow ']' in format field specifier");
                }
            }
            return value;
        }

        private static string NotEmpty(string name) => name.Length > 0 ? name : throw PythonError.Value("Empty attribute in format string");

        private object? First(string name)
        {
            if (name.Length > 0 && !name.All(char.IsAsciiDigit))
                return named.TryGetValue(name, out var value) ? value : throw new PythonError("KeyError", PythonText.ReprOf(name));
            if (name.Length > 0 ? _next > 0 : _next < 0)
            {
                // Python's string.Formatter words both ways of switching like this.
                throw PythonError.Value("cannot switch from manual field specification to automatic field numbering");
            }
            var index = name.Length > 0 ? Numbers.ParseInteger(name, 10) : (long)_next++;
            _next = name.Length > 0 ? -1 : _next;
            return index is long at && at < positional.Length ? positional[at]
                : throw new PythonError("IndexError",
                    $"Replacement index {PythonText.ReprOf(index)} out of range for positional args tuple");
        }
    }
}
