namespace Handbook.Templates.Values;

/// <summary>A Python exception on its way to the renderer, which adds where in the template it happened.</summary>
internal sealed class PythonError(string kind, string reason) : Exception(reason)
{
    public string Kind { get; } = kind;

    public static PythonError Type(string reason) => new("TypeError", reason);

    public static PythonError Value(string reason) => new("ValueError", reason);

    public static PythonError Attribute(string reason) => new("AttributeError", reason);

    public static PythonError Limit(string reason) => new("LimitError", reason);

    public static PythonError FilterArgument(string reason) => new("FilterArgumentError", reason);

    public static PythonError Recursion() => new("RecursionError", "maximum recursion depth exceeded");

    public static PythonError NotIterable(object? value) => Type($"'{PythonText.TypeName(value)}' object is not iterable");
}
