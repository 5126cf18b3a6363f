using System.Collections.Frozen;
using Handbook.Templates.Filters;
using Handbook.Templates.Nodes;
using Handbook.Templates.Values;

namespace Handbook.Templates;

/// <summary>The functions every template has: Jinja2's own and the two transformers adds.</summary>
internal static class Globals
{
    private static readonly Signature StrftimeSignature = new("strftime_now", 1, "format");
    private static readonly Signature RaiseSignature = new("raise_exception", 1, "message");

    public static readonly FrozenDictionary<string, object?> All = new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["range"] = Function("range", Range),
        ["dict"] = new DictType(Dict),
        ["namespace"] = Function("namespace", Namespace),
        ["cycler"] = Function("cycler", (_, arguments) => new CyclerValue(arguments)),
        ["joiner"] = Function("joiner", (_, arguments) => new JoinerValue(arguments)),
        ["lipsum"] = Function("lipsum",
            (_, _) => throw new PythonError("TemplateRuntimeError", "lipsum is random, and a template must give the same text each time")),
        ["self"] = new SelfValue(),
        ["raise_exception"] = Function("raise_exception", (_, arguments) =>
            throw new PythonError("TemplateError", PythonText.Of(RaiseSignature.Bind(arguments)[0]))),
        ["strftime_now"] = Function("strftime_now", (context, arguments) =>
            context.Checked(Strftime.Format(Fitting(context, PythonText.Of(StrftimeSignature.Bind(arguments)[0])),
                context.Clock.GetLocalNow().DateTime))),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>A format whose result is short enough, whatever its codes become.</summary>
    private static string Fitting(RenderContext context, string format)
    {
        context.CheckLength(format.Length * 24L);
        context.Charge(format.Length);
        return format;
    }

    private static BuiltinFunction Function(string name, Func<RenderContext, Arguments, object?> body) => new(name, body, isMethod: false);

    private static RangeValue Range(RenderContext context, Arguments arguments)
    {
        arguments.RejectNamed("range");
        var values = arguments.Positional;
        if (values.Length is 0 or > 3)
            throw PythonError.Type(values.Length == 0
                ? "range expected at least 1 argument, got 0" : $"range expected at most 3 arguments, got {values.Length}");
        var bounds = Array.ConvertAll(values, Numbers.ToIndex);
        var (start, stop, step) = (bounds.Length > 1 ? bounds[0] : 0, bounds.Length > 1 ? bounds[1] : bounds[0],
            bounds.Length > 2 ? bounds[2] : 1);
        if (step == 0)
            throw PythonError.Value("range() arg 3 must not be zero");
        var distance = step > 0 ? (Int128)stop - start : (Int128)start - stop;
        var count = distance <= 0 ? 0 : ((distance - 1) / Int128.Abs(step)) + 1;
        if (count > context.Limits.MaxRange)
            throw new PythonError("OverflowError",
                $"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({context.Limits.MaxRange}).");
        return new RangeValue(start, stop, step, (int)count);
    }

    private static DictValue Dict(RenderContext context, Arguments arguments)
    {
        var result = new DictValue();
        Fill(context, "dict", arguments, (key, value) => result.Set(key, value));
        return result;
    }

    private static NamespaceValue Namespace(RenderContext context, Arguments arguments)
    {
        var result = new NamespaceValue();
        Fill(context, "dict", arguments, result.Set);
        return result;
    }

    /// <summary><c>dict(mapping_or_pairs, **named)</c>.</summary>
    private static void Fill(RenderContext context, string function, Arguments arguments, Action<object?, object?> set)
    {
        if (arguments.Positional.Length > 1)
            throw PythonError.Type($"{function} expected at most 1 argument, got {arguments.Positional.Length}");
        if (arguments.Positional is [DictValue source])
        {
            foreach (var (key, value) in source.Entries)
                set(key, value);
        }
        else if (arguments.Positional is [Undefined missing])
        {
            throw missing.Fail();
        }
        else if (arguments.Positional is [var pairs])
        {
            var index = 0;
            foreach (var pair in Operations.Each(context, pairs))
            {
                if (Operations.TryIterate(pair) is null)
                    throw PythonError.Type($"cannot convert dictionary update sequence element #{index} to a sequence");
                var parts = Operations.ToArray(context, pair);
                if (parts.Length != 2)
                    throw PythonError.Value($"dictionary update sequence element #{index} has length {parts.Length}; 2 is required");
                Operations.RequireHashable(parts[0]);
                set(parts[0], parts[1]);
                index++;
            }
        }
        foreach (var (key, value) in arguments.Named)
            set(key, value);
    }
}

/// <summary><c>dict</c>: makes one, and has <c>fromkeys</c>.</summary>
internal sealed class DictType(Func<RenderContext, Arguments, object?> make) : TemplateValue
{
    public override string TypeName => "type";

    public override bool IsCallable => true;

    public override object? Call(RenderContext context, Arguments arguments) => make(context, arguments);

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name == "fromkeys" ? new BuiltinFunction(name, DictMethods.FromKeys) : null;
        return value is not null;
    }

    public override void AppendRepr(System.Text.StringBuilder result, int depth) => result.Append("<class 'dict'>");
}

/// <summary>Jinja2's <c>cycler</c>.</summary>
internal sealed class CyclerValue : TemplateValue
{
    private readonly object?[] _items;
    private int _position;

    public CyclerValue(Arguments arguments) => _items = arguments.Positional.Length > 0 ? arguments.Positional
        : throw new PythonError("RuntimeError", "at least one item has to be provided");

    public override string TypeName => "Cycler";

    public override string QualifiedTypeName => "jinja2.utils.Cycler";

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch
        {
            "next" => new BuiltinFunction(name, (_, _) => _items[_position++ % _items.Length]),
            "reset" => new BuiltinFunction(name, (_, _) => Reset()),
            "current" => _items[_position % _items.Length],
            "items" => new TupleValue(_items),
            "pos" => Numbers.Box((long)_position % _items.Length),
            _ => Signature.Missing,
        };
        return value != Signature.Missing;
    }

    private object? Reset()
    {
        _position = 0;
        return null;
    }
}

/// <summary>Jinja2's <c>joiner</c>: nothing the first time, the separator after.</summary>
internal sealed class JoinerValue(Arguments arguments) : TemplateValue
{
    private readonly object? _separator = new Signature("joiner", 0, "sep").Bind(arguments)[0] is var given && given == Signature.Missing
        ? ", " : given;
    private bool _used;

    public override string TypeName => "Joiner";

    public override string QualifiedTypeName => "jinja2.utils.Joiner";

    public override bool IsCallable => true;

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch { "sep" => _separator, "used" => Numbers.Box(_used), _ => Signature.Missing };
        return value != Signature.Missing;
    }

    public override object? Call(RenderContext context, Arguments arguments)
    {
        if (_used)
            return _separator;
        _used = true;
        return "";
    }
}

/// <summary><c>self</c>: the template's blocks by name.</summary>
internal sealed class SelfValue : TemplateValue
{
    public override string TypeName => "TemplateReference";

    public override string QualifiedTypeName => "jinja2.runtime.TemplateReference";

    public override bool TryGetItem(object? key, out object? value)
    {
        value = new BuiltinFunction("block", (context, _) =>
            context.Blocks.TryGetValue(PythonText.Of(key), out var block) ? block.Render(context)
            : throw Undefined.Name(PythonText.Of(key)).Fail());
        return key is string;
    }

    public override void AppendRepr(System.Text.StringBuilder result, int depth) => result.Append("<TemplateReference None>");
}
