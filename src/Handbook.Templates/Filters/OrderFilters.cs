using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>Filters that compare elements with each other.</summary>
internal static class OrderFilters
{
    public static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["sort"] = new("do_sort", 1, ["value", "reverse", "case_sensitive", "attribute"], Sort),
        ["dictsort"] = new("do_dictsort", 1, ["value", "case_sensitive", "by", "reverse"], SortDict),
        ["groupby"] = new("do_groupby", 2, ["value", "attribute", "default", "case_sensitive"], Group),
        ["min"] = new("do_min", 1, ["value", "case_sensitive", "attribute"], (context, v) => Extreme(context, v, "<")),
        ["max"] = new("do_max", 1, ["value", "case_sensitive", "attribute"], (context, v) => Extreme(context, v, ">")),
    };

    private static ListValue Sort(RenderContext context, object?[] v)
    {
        var attribute = FilterTable.Or(v[3], null);
        var paths = Operations.AsText(attribute) is { } text ? AttributePath.Getters(text) : [AttributePath.Getter(attribute)];
        var isCaseSensitive = FilterTable.Flag(v[2]);
        var items = Operations.ToArray(context, v[0]);
        return new ListValue([.. Sorting.Sort(context, items, Key, FilterTable.Flag(v[1]))]);

        object? Key(object? item) =>
            new ListValue(Array.ConvertAll(paths, path => isCaseSensitive ? path(item) : Sorting.IgnoreCase(path(item))));
    }

    private static ListValue SortDict(RenderContext context, object?[] v)
    {
        var by = PythonText.Of(FilterTable.Or(v[2], "key"));
        if (by is not ("key" or "value"))
            throw PythonError.FilterArgument("You can only sort by either \"key\" or \"value\"");
        if (v[0] is not DictValue dict)
            throw (v[0] as Undefined)?.Fail() ?? PythonError.Attribute($"'{PythonText.TypeName(v[0])}' object has no attribute 'items'");
        var isCaseSensitive = FilterTable.Flag(v[1]);
        var sorted = Sorting.Sort(context, dict.Entries, entry =>
        {
            var key = by == "key" ? entry.Key : entry.Value;
            return isCaseSensitive ? key : Sorting.IgnoreCase(key);
        }, FilterTable.Flag(v[3]));
        return new ListValue([.. sorted.Select(entry => new TupleValue(entry.Key, entry.Value))]);
    }

    private static ListValue Group(RenderContext context, object?[] v)
    {
        var missing = FilterTable.Or(v[2], null);
        var getter = AttributePath.Getter(v[1], missing);
        var isCaseSensitive = FilterTable.Flag(v[3]);
        var items = Operations.ToArray(context, v[0]);
        var groups = new List<(object? Key, List<object?> Items)>();
        foreach (var item in Sorting.Sort(context, items, Key, reverse: false))
        {
            var key = Key(item);
            if (groups.Count == 0 || !Operations.AreEqual(groups[^1].Key, key))
                groups.Add((key, []));
            groups[^1].Items.Add(item);
        }
        return new ListValue([.. groups.Select(group =>
            new GroupValue(isCaseSensitive ? group.Key : getter(group.Items[0]), new ListValue([.. group.Items])))]);

        object? Key(object? item) => isCaseSensitive ? getter(item) : Sorting.IgnoreCase(getter(item));
    }

    private static object? Extreme(RenderContext context, object?[] v, string symbol)
    {
        var getter = AttributePath.Getter(FilterTable.Or(v[2], null));
        var isCaseSensitive = FilterTable.Flag(v[1]);
        object? best = null;
        object? bestKey = null;
        var any = false;
        foreach (var item in Operations.Each(context, v[0]))
        {
            var key = isCaseSensitive ? getter(item) : Sorting.IgnoreCase(getter(item));
            if (any && !Operations.Compare(symbol, key, bestKey))
                continue;
            (best, bestKey, any) = (item, key, true);
        }
        return any ? best : Undefined.Hint("No aggregated item, sequence was empty.");
    }
}
