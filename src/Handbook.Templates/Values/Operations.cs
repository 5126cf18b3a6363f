using System.Numerics;
using System.Runtime.CompilerServices;

namespace Handbook.Templates.Values;

/// <summary>What Python does with two values: truth, equality, order, membership, hashing, iteration.</summary>
internal static class Operations
{
    private const int MaxContainerDepth = 160;

    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        bool truth => truth,
        string text => text.Length > 0,
        long number => number != 0,
        double real => real != 0,
        BigInteger => true,
        TemplateValue other => other.IsTrue,
        _ => true,
    };

    /// <summary>The text of a <c>str</c> (Markup is one).</summary>
    public static string? AsText(object? value) => value as string ?? (value as Markup)?.Text;

    public static bool AreEqual(object? a, object? b) => AreEqual(a, b, 0);

    private static bool AreEqual(object? a, object? b, int depth)
    {
        Budget.Spend(1);
        if (ReferenceEquals(a, b))
            return a is not double real || !double.IsNaN(real);
        if (depth > MaxContainerDepth)
            throw new PythonError("RecursionError", "maximum recursion depth exceeded in comparison");
        if (AsText(a) is { } text)
            return AsText(b) is { } same && text.Length == same.Length && Scanned(text) == same;
        if (a is null || b is null)
            return false;
        if (Numbers.IsNumber(a))
            return Numbers.IsNumber(b) && Numbers.Compare(a, b) == 0;
        return (a, b) switch
        {
            (ListValue x, ListValue y) => AreEqual(x.Items, y.Items, depth),
            (TupleValue x, TupleValue y) => AreEqual(x.Items, y.Items, depth),
            (DictValue x, DictValue y) => x.Length == y.Length
                && x.Entries.All(entry => y.TryGetValue(entry.Key, out var other) && AreEqual(entry.Value, other, depth + 1)),
            (Undefined, Undefined) => true,
            (BytesValue x, BytesValue y) => AreEqual(x.Veiled, y.Veiled, depth),
            (DictView x, DictView y) => x.EqualsSet(y),
            (RangeValue x, RangeValue y) => AreEqual(ToArray(x), ToArray(y), depth),
            _ => false,
        };
    }

    /// <summary>A text that is about to be looked through.</summary>
    private static string Scanned(string text)
    {
        Budget.Scan(text.Length);
        return text;
    }

    private static bool AreEqual(object?[] a, object?[] b, int depth)
    {
        if (a.Length != b.Length)
            return false;
        for (var i = 0; i < a.Length; i++)
        {
            if (!AreEqual(a[i], b[i], depth + 1))
                return false;
        }
        return true;
    }

    public static bool IsHashable(object? value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Budget.Spend(1);
        return value is not (ListValue or DictValue or SliceValue) && (value is not TupleValue tuple || tuple.Items.All(IsHashable));
    }

    public static void RequireHashable(object? value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Budget.Spend(1);
        if (value is TupleValue tuple)
        {
            foreach (var item in tuple.Items)
                RequireHashable(item);
        }
        else if (value is ListValue or DictValue or SliceValue)
        {
            throw PythonError.Type($"unhashable type: '{PythonText.TypeName(value)}'");
        }
    }

    /// <summary>Equal values have equal hashes: 1, 1.0 and True share one.</summary>
    public static int Hash(object value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Budget.Spend(1);
        return (AsText(value) ?? (value as BytesValue)?.Veiled) is { } text ? HashText(text) : HashOther(value);
    }

    private static int HashText(string text)
    {
        Budget.Walk(text.Length / 4);
        return text.GetHashCode(StringComparison.Ordinal);
    }

    private static int HashOther(object value) => value switch
    {
        double real when double.IsFinite(real) && Math.Floor(real) == real => new BigInteger(real).GetHashCode(),
        double real => real.GetHashCode(),
        long or bool or BigInteger => Numbers.ToBig(value).GetHashCode(),
        TupleValue tuple => tuple.Items.Aggregate(17, (hash, item) => HashCode.Combine(hash, item is null ? 0 : Hash(item))),
        Undefined => 1,
        _ => RuntimeHelpers.GetHashCode(value),
    };

    /// <summary><c>a &lt; b</c> and its kin.</summary>
    public static bool Compare(string symbol, object? a, object? b) => Compare(symbol, a, b, 0);

    private static bool Compare(string symbol, object? a, object? b, int depth)
    {
        if (depth > MaxContainerDepth)
            throw new PythonError("RecursionError", "maximum recursion depth exceeded in comparison");
        Budget.Spend(1);
        if (a is not null && b is not null && Numbers.IsNumber(a) && Numbers.IsNumber(b))
            return Numbers.Compare(a, b) is { } sign && Holds(symbol, sign);
        if (AsText(a) is { } x && AsText(b) is { } y)
            return Holds(symbol, CompareText(x, y));
        if (a is BytesValue left && b is BytesValue right)
            return Holds(symbol, CompareText(left.Veiled, right.Veiled));
        if ((a is ListValue && b is ListValue) || (a is TupleValue && b is TupleValue))
            return CompareItems(symbol, ((SequenceValue)a).Items, ((SequenceValue)b).Items, depth);
        if ((a as Undefined ?? b as Undefined) is { } undefined)
            throw undefined.Fail();
        throw PythonError.Type($"'{symbol}' not supported between instances of '{PythonText.TypeName(a)}' and '{PythonText.TypeName(b)}'");
    }

    private static bool CompareItems(string symbol, object?[] a, object?[] b, int depth)
    {
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            if (!AreEqual(a[i], b[i], depth + 1))
                return Compare(symbol, a[i], b[i], depth + 1);
        }
        return Holds(symbol, a.Length.CompareTo(b.Length));
    }

    /// <summary>By code points: surrogates sort above every other UTF-16 unit, as the characters they stand for do.</summary>
    public static int CompareText(string a, string b)
    {
        var common = a.AsSpan().CommonPrefixLength(b);
        Budget.Scan(common);
        if (common == a.Length || common == b.Length)
            return a.Length.CompareTo(b.Length);
        return Rank(a[common]).CompareTo(Rank(b[common]));

        static int Rank(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
    }

    private static bool Holds(string symbol, int sign) => symbol switch
    {
        "<" => sign < 0,
        "<=" => sign <= 0,
        ">" => sign > 0,
        _ => sign >= 0,
    };

    /// <summary><c>item in container</c>.</summary>
    public static bool Contains(RenderContext context, object? container, object? item)
    {
        switch (container)
        {
            case string or Markup:
                return AsText(item) is { } part
                    ? TextSearch.Contains(AsText(container)!, part)
                    : throw PythonError.Type($"'in <string>' requires string as left operand, not {PythonText.TypeName(item)}");
            case BytesValue bytes:
                return item is BytesValue some ? TextSearch.Contains(bytes.Veiled, some.Veiled)
                    : item is long value and >= 0 and <= 255 ? TextSearch.Contains(bytes.Veiled, BytesValue.Veil((byte)value).ToString())
                    : throw PythonError.Type($"a bytes-like object is required, not '{PythonText.TypeName(item)}'");
            case DictValue dict:
                RequireHashable(item);
                return dict.TryGetValue(item, out _);
            case SequenceValue sequence:
                foreach (var candidate in sequence.Items)
                {
                    if (ReferenceEquals(candidate, item) || AreEqual(candidate, item))
                        return true;
                }
                return false;
        }
        if (container is not TemplateValue walked || walked.Iterate() is not { } items)
            throw PythonError.Type($"argument of type '{PythonText.TypeName(container)}' is not iterable");
        while (items.MoveNext())
        {
            context.Charge(1);
            if (AreEqual(items.Current, item))
                return true;
        }
        return false;
    }

    public static IEnumerator<object?>? TryIterate(object? value) => value switch
    {
        string text => CodePoints.Split(text).GetEnumerator(),
        TemplateValue other => other.Iterate(),
        _ => null,
    };

    public static IEnumerator<object?> Iterate(object? value) => TryIterate(value) ?? throw PythonError.NotIterable(value);

    /// <summary><c>iter(value)</c> as something LINQ understands; each element counts as a step.</summary>
    public static IEnumerable<object?> Each(RenderContext context, object? value)
    {
        return Walk(context, Iterate(value));

        static IEnumerable<object?> Walk(RenderContext context, IEnumerator<object?> items)
        {
            while (items.MoveNext())
            {
                context.Charge(1);
                yield return items.Current;
            }
        }
    }

    /// <summary><c>list(value)</c>.</summary>
    public static object?[] ToArray(RenderContext context, object? value) =>
        value is SequenceValue sequence ? sequence.Items : [.. Each(context, value)];

    private static object?[] ToArray(RangeValue range)
    {
        var items = new List<object?>();
        for (var walk = range.Iterate(); walk.MoveNext();)
            items.Add(walk.Current);
        return [.. items];
    }

    public static int? TryLength(object? value) => value switch
    {
        string text => CodePoints.Length(text),
        TemplateValue other => other.Length,
        _ => null,
    };

    public static int Length(object? value) => TryLength(value)
        ?? throw PythonError.Type($"object of type '{PythonText.TypeName(value)}' has no len()");
}
