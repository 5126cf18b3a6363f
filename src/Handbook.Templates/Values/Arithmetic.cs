using System.Numerics;
using Handbook.Templates.Filters;

namespace Handbook.Templates.Values;

/// <summary>Python's arithmetic operators over every type that has them.</summary>
internal static class Arithmetic
{
    public static object? Apply(RenderContext context, string symbol, object? a, object? b)
    {
        if (a is long && b is long || (Numbers.IsNumber(a) && Numbers.IsNumber(b)))
            return CheckBits(context, OfNumbers(context, symbol, a!, b!));
        if (symbol == "%" && Operations.AsText(a) is { } format)
            return a is Markup
                ? new Markup(PercentFormat.Apply(context, format, Markup.EscapeArguments(b)))
                : context.Checked(PercentFormat.Apply(context, format, b));
        if ((a as Undefined ?? b as Undefined) is { } undefined)
            throw undefined.Fail();
        return symbol switch
        {
            "+" => Concatenate(context, a, b),
            "*" when a is TemplateValue or string && Numbers.IsInteger(b) => Repeat(context, a, b!) ?? throw Unsupported(symbol, a, b),
            "*" when b is TemplateValue or string && Numbers.IsInteger(a) => Repeat(context, b, a!) ?? throw Unsupported(symbol, a, b),
            "*" when a is string or SequenceValue =>
                throw PythonError.Type($"can't multiply sequence by non-int of type '{PythonText.TypeName(b)}'"),
            "*" when b is string or SequenceValue =>
                throw PythonError.Type($"can't multiply sequence by non-int of type '{PythonText.TypeName(a)}'"),
            _ => throw Unsupported(symbol, a, b),
        };
    }

    private static object OfNumbers(RenderContext context, string symbol, object a, object b) => symbol switch
    {
        "+" => Numbers.Add(a, b),
        "-" => Numbers.Subtract(a, b),
        "*" => Numbers.Multiply(a, b),
        "/" => Numbers.Divide(a, b),
        "//" => Numbers.FloorDivide(a, b),
        "%" => Numbers.Modulo(a, b),
        _ => Numbers.Power(a, b, context.Limits.MaxIntegerBits),
    };

    private static object CheckBits(RenderContext context, object result) =>
        result is BigInteger big && big.GetBitLength() > context.Limits.MaxIntegerBits
            ? throw PythonError.Limit("an integer grew too large") : result;

    private static object Concatenate(RenderContext context, object? a, object? b)
    {
        if (a is string x && b is string y)
            return CheckedConcat(x, y);
        if (a is BytesValue first)
            return b is BytesValue second ? new BytesValue(CheckedConcat(first.Veiled, second.Veiled))
                : throw PythonError.Type($"can't concat {PythonText.TypeName(b)} to bytes");
        if (Operations.AsText(a) is not null && Operations.AsText(b) is not null)
            return new Markup(context.Checked((a as Markup ?? Markup.Escape(a)).Text + (b as Markup ?? Markup.Escape(b)).Text));
        if ((a is ListValue && b is ListValue) || (a is TupleValue && b is TupleValue))
        {
            var (left, right) = ((SequenceValue)a, (SequenceValue)b);
            context.Charge(left.Items.Length + right.Items.Length);
            return left.With([.. left.Items, .. right.Items]);
        }
        if (Operations.AsText(a) is not null)
            throw PythonError.Type($"can only concatenate str (not \"{PythonText.TypeName(b)}\") to str");
        if (a is SequenceValue)
            throw PythonError.Type(
                $"can only concatenate {PythonText.TypeName(a)} (not \"{PythonText.TypeName(b)}\") to {PythonText.TypeName(a)}");
        throw Unsupported("+", a, b);
    }

    private static string CheckedConcat(string a, string b)
    {
        Budget.Make((long)a.Length + b.Length);
        return string.Concat(a, b);
    }

    private static object? Repeat(RenderContext context, object? sequence, object times)
    {
        var count = Math.Max(0, Numbers.ToIndex(times));
        switch (sequence)
        {
            case BytesValue bytes:
                return new BytesValue((string)Repeat(context, bytes.Veiled, times)!);
            case string or Markup:
                var text = Operations.AsText(sequence)!;
                Budget.Make(text.Length == 0 ? 0 : Math.Min(count, int.MaxValue) * text.Length);
                var repeated = text.Length == 0 ? "" : string.Concat(Enumerable.Repeat(text, (int)count));
                return sequence is Markup ? new Markup(repeated) : repeated;
            case SequenceValue items:
                context.Charge(items.Items.Length == 0 ? 0 : Math.Min(count, int.MaxValue) * items.Items.Length);
                var result = new object?[items.Items.Length == 0 ? 0 : items.Items.Length * count];
                for (var i = 0; i < result.Length; i++)
                    result[i] = items.Items[i % items.Items.Length];
                return items.With(result);
            default: return null;
        }
    }

    private static PythonError Unsupported(string symbol, object? a, object? b) =>
        PythonError.Type($"unsupported operand type(s) for {(symbol == "**" ? "** or pow()" : symbol)}: "
            + $"'{PythonText.TypeName(a)}' and '{PythonText.TypeName(b)}'");

    public static object Negate(object? value) => Numbers.IsNumber(value) ? Numbers.Negate(value!)
        : value is Undefined undefined ? throw undefined.Fail()
        : throw PythonError.Type($"bad operand type for unary -: '{PythonText.TypeName(value)}'");

    public static object Plus(object? value) => Numbers.IsNumber(value) ? value is bool truth ? Numbers.Box(truth ? 1L : 0L) : value!
        : value is Undefined undefined ? throw undefined.Fail()
        : throw PythonError.Type($"bad operand type for unary +: '{PythonText.TypeName(value)}'");
}
