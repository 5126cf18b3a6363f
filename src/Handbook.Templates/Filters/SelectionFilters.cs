using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary><c>map</c>, <c>select</c> and their kin: lazily, as Python's generators.</summary>
internal static class SelectionFilters
{
    public static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["map"] = new((context, arguments) => new LazyValue(Map(context, arguments))),
        ["select"] = new((context, arguments) => new LazyValue(Select(context, arguments, byAttribute: false, wanted: true))),
        ["reject"] = new((context, arguments) => new LazyValue(Select(context, arguments, byAttribute: false, wanted: false))),
        ["selectattr"] = new((context, arguments) => new LazyValue(Select(context, arguments, byAttribute: true, wanted: true))),
        ["rejectattr"] = new((context, arguments) => new LazyValue(Select(context, arguments, byAttribute: true, wanted: false))),
    };

    private static IEnumerable<object?> Map(RenderContext context, Arguments arguments)
    {
        if (!Operations.IsTrue(arguments.Positional[0]))
            yield break;
        var convert = Mapping(context, arguments);
        foreach (var item in Operations.Each(context, arguments.Positional[0]))
            yield return convert(item);
    }

    private static Func<object?, object?> Mapping(RenderContext context, Arguments arguments)
    {
        if (arguments.Positional.Length == 1 && arguments.Named.Any(entry => entry.Key == "attribute"))
        {
            var unknown = arguments.Named.FirstOrDefault(entry => entry.Key is not ("attribute" or "default"));
            if (unknown.Key is not null)
                throw PythonError.FilterArgument($"Unexpected keyword argument {PythonText.ReprOf(unknown.Key)}");
            return AttributePath.Getter(
                arguments.Named.First(entry => entry.Key == "attribute").Value,
                arguments.Named.FirstOrDefault(entry => entry.Key == "default").Value);
        }
        if (arguments.Positional.Length == 1)
            throw PythonError.FilterArgument("map requires a filter argument");
        var name = PythonText.Of(arguments.Positional[1]);
        var filter = FilterTable.Find(name) ?? throw new PythonError("TemplateRuntimeError", $"No filter named {PythonText.ReprOf(name)}.");
        var rest = arguments.Positional[2..];
        return item => filter.Apply(context, new Arguments([item, .. rest], arguments.Named));
    }

    private static IEnumerable<object?> Select(RenderContext context, Arguments arguments, bool byAttribute, bool wanted)
    {
        if (!Operations.IsTrue(arguments.Positional[0]))
            yield break;
        var rest = arguments.Positional[1..];
        Func<object?, object?> getter = item => item;
        if (byAttribute)
        {
            if (rest.Length == 0)
                throw PythonError.FilterArgument("Missing parameter for attribute name");
            getter = AttributePath.Getter(rest[0]);
            rest = rest[1..];
        }
        Func<object?, bool> holds = Operations.IsTrue;
        if (rest.Length > 0)
        {
            var name = PythonText.Of(rest[0]);
            var test = TestTable.Find(name) ?? throw new PythonError("TemplateRuntimeError", $"No test named {PythonText.ReprOf(name)}.");
            holds = item => test.Holds(context, new Arguments([item, .. rest[1..]], arguments.Named));
        }
        foreach (var item in Operations.Each(context, arguments.Positional[0]))
        {
            if (holds(getter(item)) == wanted)
                yield return item;
        }
    }
}

/// <summary><c>attribute='a.b.0'</c>: a path of names and indexes.</summary>
internal static class AttributePath
{
    public static Func<object?, object?> Getter(object? attribute, object? missing = null)
    {
        var parts = Parts(attribute);
        return item =>
        {
            foreach (var part in parts)
            {
                item = Members.GetItem(item, part);
                if (missing is not null && item is Undefined)
                    item = missing;
            }
            return item;
        };
    }

    /// <summary>Several paths with commas between them.</summary>
    public static Func<object?, object?>[] Getters(string paths)
    {
        Budget.Spend(paths.Length * 8L);
        return [.. paths.Split(',').Select(part => Getter(part))];
    }

    private static string[] Names(string path)
    {
        Budget.Spend(path.Length);
        return path.Split('.');
    }

    private static object?[] Parts(object? attribute) => attribute switch
    {
        null => [],
        string or Markup => [.. Names(Operations.AsText(attribute)!).Select(part =>
            part.Length is > 0 and < 18 && part.All(char.IsAsciiDigit) ? Numbers.ParseInteger(part, 10) : part)],
        _ => [attribute],
    };
}
