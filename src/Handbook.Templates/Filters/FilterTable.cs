using System.Collections.Frozen;
using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

internal delegate object? FilterBody(RenderContext context, object?[] values);

/// <summary>A filter: how its values bind and what it does; the first value is what stands before the bar.</summary>
internal sealed class Filter(Func<RenderContext, Arguments, object?> body)
{
    public Filter(string function, int required, string[] parameters, FilterBody body)
        : this(Bound(new Signature(function, required, parameters), body))
    {
    }

    public object? Apply(RenderContext context, Arguments arguments) => body(context, arguments);

    private static Func<RenderContext, Arguments, object?> Bound(Signature signature, FilterBody body) =>
        (context, arguments) => body(context, signature.Bind(arguments));
}

/// <summary>Jinja2's built-in filters and transformers' <c>tojson</c>.</summary>
internal static class FilterTable
{
    private static readonly FrozenDictionary<string, Filter> All =
        TextFilters.All.Concat(HtmlFilters.All).Concat(NumberFilters.All).Concat(SequenceFilters.All)
            .Concat(SelectionFilters.All).Concat(OrderFilters.All).ToFrozenDictionary(StringComparer.Ordinal);

    public static Filter? Find(string name) => All.GetValueOrDefault(name);

    public static bool Has(string name) => All.ContainsKey(name);

    public static PythonError Unknown(string name, bool atRuntime) =>
        new(atRuntime ? "TemplateRuntimeError" : "TemplateAssertionError",
            $"No filter named {PythonText.ReprOf(name)}{(atRuntime ? " found" : "")}.");

    /// <summary>A value that was given, or <paramref name="missing"/>.</summary>
    public static object? Or(object? value, object? missing) => value == Signature.Missing ? missing : value;

    public static bool Flag(object? value) => value != Signature.Missing && Operations.IsTrue(value);

    public static long Index(object? value, long missing) => value == Signature.Missing ? missing : Numbers.ToIndex(value);
}
