namespace Handbook.Templates.Values;

/// <summary>
/// <c>x.name</c> and <c>x[key]</c> as the sandbox resolves them: a dot tries the attribute first, brackets the item first;
/// names with an underscore and methods that change a value are refused.
/// </summary>
internal static class Members
{
    public static object? GetAttribute(object? owner, string name)
    {
        if (TryGetAttribute(owner, name, out var value))
            return value;
        return TryGetItem(owner, name, out value) ? value : Undefined.Member(owner, name);
    }

    public static object? GetItem(object? owner, object? key)
    {
        if (TryGetItem(owner, key, out var value))
            return value;
        return Operations.AsText(key) is { } name && TryGetAttribute(owner, name, out value) ? value : Undefined.Member(owner, key);
    }

    /// <summary><c>x[a:b]</c>, which Jinja2 hands to Python as it is: no attribute and no undefined stands in.</summary>
    public static object? GetSlice(object? owner, SliceValue slice)
    {
        if (owner is DictValue)
            Operations.RequireHashable(slice);
        return TryGetItem(owner, slice, out var value) ? value
            : throw PythonError.Type($"'{PythonText.TypeName(owner)}' object is not subscriptable");
    }

    public static bool TryGetAttribute(object? owner, string name, out object? value)
    {
        if (name.StartsWith("__", StringComparison.Ordinal) && IsEveryObjects(name))
        {
            value = Undefined.Unsafe(owner, name);
            return true;
        }
        switch (owner)
        {
            case string text: return StringMethods.TryGet(text, name, isMarkup: false, out value);
            case Markup markup: return StringMethods.TryGet(markup.Text, name, isMarkup: true, out value);
            case TemplateValue other: return other.TryGetAttribute(name, out value);
        }
        return NumberMethods.TryGet(owner, name, out value);
    }

    private static bool TryGetItem(object? owner, object? key, out object? value)
    {
        if (owner is string text)
            return Sequences.TryGetItem(text, key, out value);
        value = null;
        return owner is TemplateValue other && other.TryGetItem(key, out value);
    }

    /// <summary>Names that Python's <c>object</c> has: they exist, and the sandbox hides them.</summary>
    private static bool IsEveryObjects(string name) => name is "__class__" or "__doc__" or "__init__" or "__new__" or "__dict__"
        or "__module__" or "__repr__" or "__str__" or "__eq__" or "__ne__" or "__lt__" or "__le__" or "__gt__" or "__ge__"
        or "__hash__" or "__dir__" or "__format__" or "__getattribute__" or "__setattr__" or "__delattr__" or "__reduce__"
        or "__reduce_ex__" or "__sizeof__" or "__subclasshook__" or "__init_subclass__";
}
