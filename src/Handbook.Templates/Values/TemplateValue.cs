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

/// <summary>A string marked as safe HTML; autoescaping is off in chat templates, so it mostly behaves as its text.</summary>
internal sealed class Markup(string text) : TemplateValue
{
    public string Text { get; } = text;

    public override string TypeName => "Markup";

    public override string QualifiedTypeName => "markupsafe.Markup";

    public override int? Length => CodePoints.Length(Text);

    public override IEnumerator<object?> Iterate() => CodePoints.Split(Text).GetEnumerator();

    public override bool TryGetItem(object? key, out object? value) => Sequences.TryGetItem(Text, key, out value);

    public override string ToText() => Text;

    public override void AppendRepr(StringBuilder result, int depth)
    {
        result.Append("Markup(");
        PythonText.AppendRepr(result, Text, depth);
        result.Append(')');
    }

    private static string Paid(string text)
    {
        Budget.Walk(text.Length * 2L);
        return text;
    }

    /// <summary>The methods that safe texts have and others lack.</summary>
    public static bool TryGetMethod(string self, string name, out object? value)
    {
        value = name switch
        {
            "striptags" => new BuiltinFunction(name, (_, _) => Filters.HtmlFilters.StripTags(self).Text),
            "unescape" => new BuiltinFunction(name, (context, _) => context.Checked(System.Net.WebUtility.HtmlDecode(Paid(self)))),
            "escape" => new BuiltinFunction(name, (_, arguments) => Escape(new Signature(name, 1, "s").Bind(arguments)[0])),
            _ => null,
        };
        return value is not null;
    }

    /// <summary>Texts that join safe text, escaped; also those of a list or dict.</summary>
    public static object? EscapeArguments(object? value) => value switch
    {
        string => Escape(value),
        SequenceValue items => items.With(Array.ConvertAll(items.Items, item => item is string ? Escape(item) : item)),
        DictValue dict => dict.Entries.Aggregate(new DictValue(), (copy, entry) => copy.Set(entry.Key, entry.Value is string ? Escape(entry.Value) : entry.Value)),
        _ => value,
    };

    /// <summary><c>markupsafe.escape</c>.</summary>
    public static Markup Escape(object? value) => value as Markup ?? new Markup(EscapeText(PythonText.Of(value)));

    private static string EscapeText(string text) => Paid(text).AsSpan().IndexOfAny("&<>'\"") < 0 ? text : text
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal);
}
