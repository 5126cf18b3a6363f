using Handbook.Templates.Filters;
using Handbook.Templates.Syntax;
using Handbook.Templates.Values;

namespace Handbook.Templates.Nodes;

/// <summary>The values written between a call's parentheses, unpacked ones included.</summary>
internal sealed class ArgumentList(
    Expression[] positional, (string Name, Expression Value)[] named, Expression? unpacked, Expression? unpackedNamed)
{
    public static readonly ArgumentList Empty = new([], [], null, null);

    /// <summary>Evaluates in order; <paramref name="first"/> values come before the written ones.</summary>
    public Arguments Evaluate(RenderContext context, Scope scope, ReadOnlySpan<object?> first, MacroValue? caller = null)
    {
        var values = new object?[first.Length + positional.Length];
        first.CopyTo(values);
        for (var i = 0; i < positional.Length; i++)
            values[first.Length + i] = positional[i].Evaluate(context, scope);
        if (named.Length == 0 && unpacked is null && unpackedNamed is null && caller is null)
            return new Arguments(values);
        var byName = new List<KeyValuePair<string, object?>>(named.Length);
        foreach (var (name, value) in named)
            byName.Add(new(name, value.Evaluate(context, scope)));
        if (caller is not null)
            byName.Add(new("caller", caller));
        if (unpacked is not null)
            values = [.. values, .. Operations.ToArray(context, unpacked.Evaluate(context, scope))];
        if (unpackedNamed is not null)
            Unpack(unpackedNamed.Evaluate(context, scope), byName);
        return new Arguments(values, byName);
    }

    private static void Unpack(object? value, List<KeyValuePair<string, object?>> byName)
    {
        if (value is not DictValue dict)
            throw PythonError.Type($"argument after ** must be a mapping, not {PythonText.TypeName(value)}");
        foreach (var (key, item) in dict.Entries)
        {
            var name = Operations.AsText(key) ?? throw PythonError.Type("keywords must be strings");
            if (byName.Exists(entry => entry.Key == name))
                throw PythonError.Type($"got multiple values for keyword argument '{name}'");
            byName.Add(new(name, item));
        }
    }
}

internal sealed class Call(SourcePosition at, Expression function, ArgumentList arguments) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope) => Evaluate(context, scope, null);

    public object? Evaluate(RenderContext context, Scope scope, MacroValue? caller)
    {
        context.Enter(At);
        var callee = function.Evaluate(context, scope);
        var values = arguments.Evaluate(context, scope, [], caller);
        context.Return(At);
        return callee is TemplateValue value
            ? value.Call(context, values)
            : throw PythonError.Type($"'{PythonText.TypeName(callee)}' object is not callable");
    }
}

/// <summary><c>value|filter(...)</c>; inside a filter block or a filtered set, the value is the block's text.</summary>
internal sealed class FilterCall(SourcePosition at, Expression? value, string name, ArgumentList arguments) : Expression(at)
{
    private readonly Filter? _filter = FilterTable.Find(name);

    public override object? Evaluate(RenderContext context, Scope scope) => Apply(context, scope, null);

    /// <summary>Applies the chain to <paramref name="blockText"/> where its start has no value of its own.</summary>
    public object? Apply(RenderContext context, Scope scope, object? blockText)
    {
        context.Enter(At);
        var target = value switch
        {
            null => blockText,
            FilterCall inner => inner.Apply(context, scope, blockText),
            _ => value.Evaluate(context, scope),
        };
        var values = arguments.Evaluate(context, scope, [target]);
        context.Return(At);
        return _filter is not null ? _filter.Apply(context, values) : throw FilterTable.Unknown(name, atRuntime: true);
    }
}

/// <summary><c>value is test(...)</c>.</summary>
internal sealed class TestCall(SourcePosition at, Expression value, string name, ArgumentList arguments) : Expression(at)
{
    private readonly Test? _test = TestTable.Find(name);

    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var values = arguments.Evaluate(context, scope, [value.Evaluate(context, scope)]);
        context.Return(At);
        return _test is not null ? Numbers.Box(_test.Holds(context, values)) : throw TestTable.Unknown(name, atRuntime: true);
    }
}
