using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>Filters over sequences as a whole, and over any value.</summary>
internal static class SequenceFilters
{
    private static readonly Filter Length = new("len", 1, ["obj"], (_, v) => Numbers.Box((long)Operations.Length(v[0])));
    private static readonly Filter Default = new("do_default", 1, ["value", "default_value", "boolean"], (_, v) =>
        v[0] is Undefined || (FilterTable.Flag(v[2]) && !Operations.IsTrue(v[0])) ? FilterTable.Or(v[1], "") : v[0]);

    public static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["length"] = Length,
        ["count"] = Length,
        ["default"] = Default,
        ["d"] = Default,
        ["list"] = new("do_list", 1, ["value"], (context, v) => new ListValue(Operations.ToArray(context, v[0]))),
        ["first"] = new("do_first", 1, ["seq"],
            (_, v) => Operations.Iterate(v[0]) is var items && items.MoveNext()
                ? items.Current : Undefined.Hint("No first item, sequence was empty.")),
        ["last"] = new("do_last", 1, ["seq"],
            (context, v) => Reversible(context, v[0]) is { Length: > 0 } items
                ? items[^1] : Undefined.Hint("No last item, sequence was empty.")),
        ["random"] = new("do_random", 1, ["seq"],
            (_, _) => throw new PythonError("TemplateRuntimeError", "random is refused: a template must give the same text each time")),
        ["join"] = new("do_join", 1, ["value", "d", "attribute"], Join),
        ["reverse"] = new("do_reverse", 1, ["value"], Reverse),
        ["batch"] = new("do_batch", 2, ["value", "linecount", "fill_with"],
            (context, v) => new LazyValue(Batch(context, v[0], v[1], FilterTable.Or(v[2], null)))),
        ["slice"] = new("do_slice", 2, ["value", "slices", "fill_with"],
            (context, v) => new LazyValue(Slices(context, v[0], v[1], FilterTable.Or(v[2], null)))),
        ["items"] = new("do_items", 1, ["value"], (_, v) => new LazyValue(Items(v[0]))),
        ["sum"] = new("do_sum", 1, ["iterable", "attribute", "start"], Sum),
        ["unique"] = new("do_unique", 1, ["value", "case_sensitive", "attribute"], (context, v) => new LazyValue(Unique(context, v))),
        ["attr"] = new("do_attr", 2, ["obj", "name"], Attribute),
    };

    private static object?[] Reversible(RenderContext context, object? value) => value switch
    {
        string or Markup or BytesValue or SequenceValue or DictValue or DictView or RangeValue => Operations.ToArray(context, value),
        Undefined => [],
        _ => throw PythonError.Type($"'{PythonText.TypeName(value)}' object is not reversible"),
    };

    private static object Join(RenderContext context, object?[] v)
    {
        var items = Operations.Each(context, v[0]);
        if (FilterTable.Or(v[2], null) is { } attribute)
            items = items.Select(AttributePath.Getter(attribute));
        var separator = FilterTable.Or(v[1], "");
        if (!context.Autoescape)
            return JoinText(context, PythonText.Of(separator), items.Select(PythonText.Of));
        var parts = items.ToArray();
        if (separator is Markup || Array.Exists(parts, part => part is Markup))
            return new Markup(JoinText(context, Markup.Escape(separator).Text, parts.Select(part => Markup.Escape(part).Text)));
        return JoinText(context, PythonText.Of(separator), parts.Select(PythonText.Of));
    }

    private static string JoinText(RenderContext context, string separator, IEnumerable<string> parts)
    {
        var result = new System.Text.StringBuilder();
        var first = true;
        foreach (var part in parts)
        {
            if (!first)
                result.Append(separator);
            first = false;
            result.Append(part);
            context.CheckLength(result.Length);
        }
        return context.Checked(result.ToString());
    }

    private static object Reverse(RenderContext context, object?[] v)
    {
        if (Operations.AsText(v[0]) is { } text)
            return CodePoints.Slice(text, SliceBounds.Of(CodePoints.Length(text), null, null, -1));
        if (Operations.TryIterate(v[0]) is null)
            throw PythonError.FilterArgument("argument must be iterable");
        var items = Operations.ToArray(context, v[0]).Reverse();
        context.Charge(Operations.TryLength(v[0]) ?? 0);
        return v[0] is LazyValue ? new ListValue([.. items]) : new LazyValue(items, PythonText.TypeName(v[0]) + "_reverseiterator");
    }

    private static IEnumerable<object?> Batch(RenderContext context, object? value, object? size, object? fill)
    {
        var row = new List<object?>();
        foreach (var item in Operations.Each(context, value))
        {
            if (Operations.AreEqual((long)row.Count, size))
            {
                yield return new ListValue([.. row]);
                row.Clear();
            }
            row.Add(item);
        }
        if (row.Count == 0)
            yield break;
        if (fill is not null && Operations.Compare("<", (long)row.Count, size))
        {
            var missing = Numbers.ToIndex(size) - row.Count;
            context.Charge(missing);
            row.AddRange(Enumerable.Repeat(fill, (int)missing));
        }
        yield return new ListValue([.. row]);
    }

    private static IEnumerable<object?> Slices(RenderContext context, object? value, object? slices, object? fill)
    {
        var items = Operations.ToArray(context, value);
        var count = Numbers.ToIndex(slices);
        if (count == 0)
            throw new PythonError("ZeroDivisionError", "integer division or modulo by zero");
        context.Charge(Math.Max(0, count));
        var offset = 0L;
        for (var slice = 0L; slice < count; slice++)
        {
            var start = offset + (slice * (items.Length / count));
            if (slice < items.Length % count)
                offset++;
            var end = offset + ((slice + 1) * (items.Length / count));
            var part = items[(int)start..(int)end];
            yield return new ListValue(fill is not null && slice >= items.Length % count ? [.. part, fill] : part);
        }
    }

    private static IEnumerable<object?> Items(object? value)
    {
        if (value is Undefined)
            yield break;
        if (value is not DictValue dict)
            throw PythonError.Type("Can only get item pairs from a mapping.");
        foreach (var (key, item) in dict.Entries)
            yield return new TupleValue(key, item);
    }

    private static object? Sum(RenderContext context, object?[] v)
    {
        var total = FilterTable.Or(v[2], 0L);
        if (Operations.AsText(total) is not null)
            throw PythonError.Type("sum() can't sum strings [use ''.join(seq) instead]");
        var items = Operations.Each(context, v[0]);
        if (FilterTable.Or(v[1], null) is { } attribute)
            items = items.Select(AttributePath.Getter(attribute));
        return items.Aggregate(total, (sum, item) => Arithmetic.Apply(context, "+", sum, item));
    }

    private static IEnumerable<object?> Unique(RenderContext context, object?[] v)
    {
        var getter = AttributePath.Getter(FilterTable.Or(v[2], null));
        var seen = new DictValue();
        foreach (var item in Operations.Each(context, v[0]))
        {
            var key = FilterTable.Flag(v[1]) ? getter(item) : Sorting.IgnoreCase(getter(item));
            if (seen.TryGetValue(key, out _))
                continue;
            seen.Set(key, null);
            yield return item;
        }
    }

    private static object? Attribute(RenderContext context, object?[] v)
    {
        var name = Operations.AsText(v[1])
            ?? throw PythonError.Type("attribute name must be string, not "
                + PythonText.TypeName(v[1]).Replace("'", "", StringComparison.Ordinal));
        return Members.TryGetAttribute(v[0], name, out var value) ? value : Undefined.Member(v[0], name);
    }
}
