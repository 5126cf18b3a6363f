using System.Text;

namespace Handbook.Templates.Values;

/// <summary>
/// A value that is not a plain scalar. Scalars are .NET's own: null (None), bool, long, BigInteger (an int beyond 64 bits),
/// double, string. There is no reflection: a template sees what these types hand out and nothing else.
/// </summary>
internal abstract class TemplateValue
{
    /// <summary><c>type(x).__name__</c>.</summary>
    public abstract string TypeName { get; }

    /// <summary>The type with its module unless that is <c>builtins</c>.</summary>
    public virtual string QualifiedTypeName => TypeName;

    /// <summary><c>len(x)</c>; null when Python has none.</summary>
    public virtual int? Length => null;

    public virtual bool IsTrue => Length is not 0;

    public virtual bool IsCallable => false;

    /// <summary><c>iter(x)</c>; null when Python has none.</summary>
    public virtual IEnumerator<object?>? Iterate() => null;

    /// <summary><c>getattr</c>: methods and properties, never items.</summary>
    public virtual bool TryGetAttribute(string name, out object? value)
    {
        value = null;
        return false;
    }

    /// <summary><c>x[key]</c>; false for what Python answers with LookupError or TypeError.</summary>
    public virtual bool TryGetItem(object? key, out object? value)
    {
        value = null;
        return false;
    }

    public virtual object? Call(RenderContext context, Arguments arguments) =>
        throw PythonError.Type($"'{TypeName}' object is not callable");

    /// <summary><c>str(x)</c>.</summary>
    public virtual string ToText()
    {
        var result = new StringBuilder();
        AppendRepr(result, 0);
        return result.ToString();
    }

    /// <summary><c>repr(x)</c>.</summary>
    public virtual void AppendRepr(StringBuilder result, int depth) => result.Append('<').Append(QualifiedTypeName).Append(" object>");
}

/// <summary>The values of a call: in order, then by name.</summary>
internal sealed class Arguments(object?[] positional, IReadOnlyList<KeyValuePair<string, object?>>? named = null)
{
    public static readonly Arguments None = new([]);

    public object?[] Positional { get; } = positional;

    public IReadOnlyList<KeyValuePair<string, object?>> Named { get; } = named ?? [];

    public void RejectNamed(string function)
    {
        if (Named.Count > 0)
            throw PythonError.Type($"{function}() takes no keyword arguments");
    }
}

/// <summary>A function the template may call: a global, or a method already bound to its object.</summary>
internal sealed class BuiltinFunction(string name, Func<RenderContext, Arguments, object?> body, bool isMethod = true) : TemplateValue
{
    public override string TypeName => isMethod ? "builtin_function_or_method" : "function";

    public override bool IsCallable => true;

    public override object? Call(RenderContext context, Arguments arguments) => body(context, arguments);

    public override void AppendRepr(StringBuilder result, int depth) => result.Append("<function ").Append(name).Append('>');
}
