using Handbook.Templates.Syntax;
using Handbook.Templates.Values;

namespace Handbook.Templates.Nodes;

internal sealed class Constant(SourcePosition at, object? value) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope) => value;
}

internal sealed class Name(SourcePosition at, string text) : Expression(at)
{
    public string Text => text;

    public override object? Evaluate(RenderContext context, Scope scope)
    {
        if (scope.TryGet(text, out var value))
            return value;
        return Globals.All.TryGetValue(text, out value) ? value : Undefined.Name(text);
    }
}

/// <summary><c>name.attribute</c> as the target of a <c>set</c>.</summary>
internal sealed class NamespaceTarget(SourcePosition at, string name, string attribute) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope) => throw At.SyntaxError("a namespace target has no value");

    public void Assign(RenderContext context, Scope scope, object? value)
    {
        context.Return(At);
        if (!scope.TryGet(name, out var target) || target is not NamespaceValue space)
            throw new PythonError("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
        space.Set(attribute, value);
    }
}

/// <summary><c>[a, b]</c> or <c>a, b</c>.</summary>
internal sealed class Collection(SourcePosition at, Expression[] items, bool isList) : Expression(at)
{
    public Expression[] Items => items;

    public bool IsList => isList;

    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var values = new object?[items.Length];
        for (var i = 0; i < items.Length; i++)
            values[i] = items[i].Evaluate(context, scope);
        return isList ? new ListValue(values) : new TupleValue(values);
    }
}

internal sealed class Dictionary(SourcePosition at, (Expression Key, Expression Value)[] entries) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var result = new DictValue(entries.Length);
        foreach (var (key, value) in entries)
            result.Set(key.Evaluate(context, scope), value.Evaluate(context, scope));
        return result;
    }
}

internal sealed class Conditional(SourcePosition at, Expression test, Expression then, Expression? otherwise) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        if (Operations.IsTrue(test.Evaluate(context, scope)))
            return then.Evaluate(context, scope);
        return otherwise is not null ? otherwise.Evaluate(context, scope) : Undefined.Hint(
            $"the inline if-expression on line {At.Line} evaluated to false and no else section was defined.");
    }
}

internal sealed class Attribute(SourcePosition at, Expression owner, string name) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var value = owner.Evaluate(context, scope);
        context.Return(At);
        return Members.GetAttribute(value, name);
    }
}

internal sealed class Subscript(SourcePosition at, Expression owner, Expression key) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var value = owner.Evaluate(context, scope);
        var index = key.Evaluate(context, scope);
        context.Return(At);
        // Jinja2 folds a slice of a constant through its own lookup, which is kinder than Python's.
        return index is SliceValue slice && owner is not Constant ? Members.GetSlice(value, slice) : Members.GetItem(value, index);
    }
}

internal sealed class Slice(SourcePosition at, Expression? start, Expression? stop, Expression? step) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope) =>
        new SliceValue(start?.Evaluate(context, scope), stop?.Evaluate(context, scope), step?.Evaluate(context, scope));
}

internal sealed class Logical(SourcePosition at, Expression left, Expression right, bool isAnd) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var value = left.Evaluate(context, scope);
        return Operations.IsTrue(value) == isAnd ? right.Evaluate(context, scope) : value;
    }
}

internal sealed class Not(SourcePosition at, Expression operand) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        return Numbers.Box(!Operations.IsTrue(operand.Evaluate(context, scope)));
    }
}

internal sealed class Unary(SourcePosition at, Expression operand, bool isMinus) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var value = operand.Evaluate(context, scope);
        context.Return(At);
        return isMinus ? Arithmetic.Negate(value) : Arithmetic.Plus(value);
    }
}

internal sealed class Binary(SourcePosition at, string symbol, Expression left, Expression right) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var a = left.Evaluate(context, scope);
        var b = right.Evaluate(context, scope);
        context.Return(At);
        return Arithmetic.Apply(context, symbol, a, b);
    }
}

/// <summary><c>a ~ b ~ c</c>: texts of everything, joined.</summary>
internal sealed class Concatenation(SourcePosition at, Expression[] parts) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var values = new object?[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            values[i] = parts[i].Evaluate(context, scope);
        context.Return(At);
        if (context.Autoescape && values.Any(value => value is Markup))
            return new Markup(context.Checked(string.Concat(values.Select(value => Markup.Escape(value).Text))));
        var texts = Array.ConvertAll(values, PythonText.Of);
        Budget.Make(texts.Sum(text => (long)text.Length));
        return string.Concat(texts);
    }
}

/// <summary><c>a &lt; b &lt; c</c>: a chain, each operand evaluated once, short-circuited.</summary>
internal sealed class Comparison(SourcePosition at, Expression first, (string Symbol, Expression Operand)[] rest) : Expression(at)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        context.Enter(At);
        var left = first.Evaluate(context, scope);
        foreach (var (symbol, operand) in rest)
        {
            var right = operand.Evaluate(context, scope);
            context.Return(At);
            if (!Holds(context, symbol, left, right))
                return Numbers.False;
            left = right;
        }
        return Numbers.True;
    }

    private static bool Holds(RenderContext context, string symbol, object? left, object? right) => symbol switch
    {
        "==" => Operations.AreEqual(left, right),
        "!=" => !Operations.AreEqual(left, right),
        "in" => Operations.Contains(context, right, left),
        "not in" => !Operations.Contains(context, right, left),
        _ => Operations.Compare(symbol, left, right),
    };
}
