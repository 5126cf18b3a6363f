using System.Text;
using Handbook.Templates.Values;

namespace Handbook.Templates.Nodes;

/// <summary>A macro's head and body, and which of the special names its body mentions.</summary>
internal sealed record MacroDefinition(string? Name, SourcePosition At, string[] Parameters, Expression[] Defaults, Statement[] Body)
{
    public bool UsesCaller { get; init; }

    public bool UsesKwargs { get; init; }

    public bool UsesVarargs { get; init; }
}

/// <summary>A macro, or the body of a call block, together with the scope it was written in.</summary>
internal sealed class MacroValue(MacroDefinition definition, Scope scope) : TemplateValue
{
    public override string TypeName => "Macro";

    public override string QualifiedTypeName => "jinja2.runtime.Macro";

    public override bool IsCallable => true;

    public override object? Call(RenderContext context, Arguments arguments)
    {
        var inner = new Scope(scope);
        Bind(context, inner, arguments);
        context.Descend();
        context.Charge(4);
        var text = Statement.Capture(definition.Body, context, inner);
        context.Ascend();
        return context.Autoescape ? new Markup(text) : text;
    }

    private void Bind(RenderContext context, Scope inner, Arguments arguments)
    {
        var named = arguments.Named.ToList();
        var parameters = definition.Parameters;
        var givenInOrder = Math.Min(arguments.Positional.Length, parameters.Length);
        var missing = new List<int>();
        for (var i = 0; i < parameters.Length; i++)
        {
            if (i < givenInOrder)
                inner.Set(parameters[i], arguments.Positional[i]);
            else if (named.FindIndex(entry => entry.Key == parameters[i]) is >= 0 and var at)
                Take(at, parameters[i]);
            else
                missing.Add(i);
        }
        if (definition.UsesCaller && !parameters.Contains("caller"))
        {
            var at = named.FindIndex(entry => entry.Key == "caller");
            if (at >= 0 && named[at].Value is not null)
                Take(at, "caller");
            else
                inner.Set("caller", Undefined.Hint("No caller defined"));
        }
        BindRest(inner, arguments, named);
        foreach (var i in missing)
            inner.Set(parameters[i], Default(context, inner, i));

        void Take(int at, string name)
        {
            inner.Set(name, named[at].Value);
            named.RemoveAt(at);
        }
    }

    private void BindRest(Scope inner, Arguments arguments, List<KeyValuePair<string, object?>> named)
    {
        if (definition.UsesKwargs)
        {
            var rest = new DictValue();
            named.ForEach(entry => rest.Set(entry.Key, entry.Value));
            inner.Set("kwargs", rest);
        }
        else if (named.Count > 0)
        {
            throw PythonError.Type(named.Exists(entry => entry.Key == "caller")
                ? $"macro {PythonText.ReprOf(definition.Name)} was invoked with two values for "
                    + "the special caller argument. This is most likely a bug."
                : $"macro {PythonText.ReprOf(definition.Name)} takes no keyword argument '{named[0].Key}'");
        }
        if (definition.UsesVarargs)
            inner.Set("varargs",
                new TupleValue(arguments.Positional[Math.Min(definition.Parameters.Length, arguments.Positional.Length)..]));
        else if (arguments.Positional.Length > definition.Parameters.Length)
            throw PythonError.Type(
                $"macro {PythonText.ReprOf(definition.Name)} takes not more than {definition.Parameters.Length} argument(s)");
    }

    private object? Default(RenderContext context, Scope inner, int parameter)
    {
        var at = parameter - (definition.Parameters.Length - definition.Defaults.Length);
        return at >= 0 ? definition.Defaults[at].Evaluate(context, inner)
            : Undefined.Hint($"parameter '{definition.Parameters[parameter]}' was not provided");
    }

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch
        {
            "name" => definition.Name,
            "arguments" => new TupleValue([.. definition.Parameters]),
            "caller" => Numbers.Box(definition.UsesCaller),
            "catch_kwargs" => Numbers.Box(definition.UsesKwargs),
            "catch_varargs" => Numbers.Box(definition.UsesVarargs),
            "explicit_caller" => Numbers.Box(definition.Parameters.Contains("caller")),
            _ => Signature.Missing,
        };
        return value != Signature.Missing;
    }

    public override void AppendRepr(StringBuilder result, int depth) =>
        result.Append("<Macro ").Append(definition.Name is null ? "anonymous" : PythonText.ReprOf(definition.Name)).Append('>');
}
