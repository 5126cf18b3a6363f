using System.Collections.Frozen;
using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>A test: what <c>value is name(...)</c> asks.</summary>
internal sealed class Test(string function, int required, string[] parameters, Func<RenderContext, object?[], bool> body)
{
    private readonly Signature _signature = new(function, required, parameters);

    public bool Holds(RenderContext context, Arguments arguments) => body(context, _signature.Bind(arguments));
}

/// <summary>Jinja2's built-in tests.</summary>
internal static class TestTable
{
    private static readonly FrozenDictionary<string, Test> All = Build().ToFrozenDictionary(StringComparer.Ordinal);

    public static Test? Find(string name) => All.GetValueOrDefault(name);

    public static PythonError Unknown(string name, bool atRuntime) =>
        new(atRuntime ? "TemplateRuntimeError" : "TemplateAssertionError",
            $"No test named {PythonText.ReprOf(name)}{(atRuntime ? " found" : "")}.");

    private static Dictionary<string, Test> Build()
    {
        var tests = new Dictionary<string, Test>(StringComparer.Ordinal);
        One("odd", (context, value) => Operations.AreEqual(Arithmetic.Apply(context, "%", value, 2L), 1L));
        One("even", (context, value) => Operations.AreEqual(Arithmetic.Apply(context, "%", value, 2L), 0L));
        Two("divisibleby", "num", (context, value, other) => Operations.AreEqual(Arithmetic.Apply(context, "%", value, other), 0L));
        One("defined", (_, value) => value is not Undefined);
        One("undefined", (_, value) => value is Undefined);
        One("filter", (_, value) => Named(value) is { } name && FilterTable.Has(name));
        One("test", (_, value) => Named(value) is { } name && All.ContainsKey(name));
        One("none", (_, value) => value is null);
        One("boolean", (_, value) => value is bool);
        One("false", (_, value) => value is false);
        One("true", (_, value) => value is true);
        One("integer", (_, value) => Numbers.IsInteger(value) && value is not bool);
        One("float", (_, value) => value is double);
        One("lower", (_, value) => StringTests.IsLower(PythonText.Of(value)));
        One("upper", (_, value) => StringTests.IsUpper(PythonText.Of(value)));
        One("string", (_, value) => Operations.AsText(value) is not null);
        One("mapping", (_, value) => value is DictValue);
        One("number", (_, value) => Numbers.IsNumber(value));
        One("sequence", (_, value) => value is string or Markup or BytesValue or SequenceValue or DictValue or RangeValue or Undefined);
        One("iterable", (_, value) => Operations.TryIterate(value) is not null);
        One("callable", (_, value) => value is TemplateValue { IsCallable: true });
        One("escaped", (_, value) => value is Markup);
        Two("sameas", "other", (_, value, other) => IsSame(value, other));
        Two("in", "seq", (context, value, other) => Operations.Contains(context, other, value));
        foreach (var name in (string[])["==", "eq", "equalto"])
            Two(name, "b", (_, value, other) => Operations.AreEqual(value, other));
        foreach (var name in (string[])["!=", "ne"])
            Two(name, "b", (_, value, other) => !Operations.AreEqual(value, other));
        foreach (var (symbol, names) in new (string, string[])[]
            { (">", [">", "gt", "greaterthan"]), (">=", [">=", "ge"]), ("<", ["<", "lt", "lessthan"]), ("<=", ["<=", "le"]) })
        {
            foreach (var name in names)
                Two(name, "b", (_, value, other) => Operations.Compare(symbol, value, other));
        }
        return tests;

        void One(string name, Func<RenderContext, object?, bool> body) =>
            tests.Add(name, new Test("test_" + name, 1, ["value"], (context, values) => body(context, values[0])));

        void Two(string name, string parameter, Func<RenderContext, object?, object?, bool> body) =>
            tests.Add(name, new Test("test_" + name, 2, ["value", parameter], (context, values) => body(context, values[0], values[1])));
    }

    private static string? Named(object? value)
    {
        Operations.RequireHashable(value);
        return Operations.AsText(value);
    }

    /// <summary>Python's <c>is</c>: singletons, small integers and the very same object.</summary>
    private static bool IsSame(object? value, object? other) => (value, other) switch
    {
        (bool a, bool b) => a == b,
        (long a, long b) => a == b && a is >= -5 and <= 256,
        (string a, string b) => a == b,
        _ => ReferenceEquals(value, other),
    };
}
