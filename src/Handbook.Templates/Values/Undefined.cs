using System.Text;

namespace Handbook.Templates.Values;

/// <summary>
/// Jinja2's default undefined: printed, iterated, tested and compared quietly; anything else fails with the name of what
/// was missing. A refused attribute is one as well, failing with <c>SecurityError</c>.
/// </summary>
internal sealed class Undefined : TemplateValue
{
    private readonly string _kind;
    private readonly string? _message;
    private readonly object? _owner;
    private readonly object? _key;

    private Undefined(string kind, string? message, object? owner, object? key) =>
        (_kind, _message, _owner, _key) = (kind, message, owner, key);

    public static Undefined Name(string name) => new("UndefinedError", $"'{name}' is undefined", null, null);

    public static Undefined Hint(string message) => new("UndefinedError", message, null, null);

    public static Undefined Member(object? owner, object? key) => new("UndefinedError", null, owner, key);

    public static Undefined Unsafe(object? owner, string name) =>
        new("SecurityError", $"access to attribute '{name}' of '{PythonText.TypeName(owner)}' object is unsafe.", null, null);

    public override string TypeName => "Undefined";

    public override string QualifiedTypeName => "jinja2.runtime.Undefined";

    public override int? Length => 0;

    public override bool IsCallable => true;

    public override IEnumerator<object?> Iterate() => Enumerable.Empty<object?>().GetEnumerator();

    public override bool TryGetAttribute(string name, out object? value) => throw Fail();

    public override bool TryGetItem(object? key, out object? value) => throw Fail();

    public override object? Call(RenderContext context, Arguments arguments) => throw Fail();

    public override string ToText() => "";

    public override void AppendRepr(StringBuilder result, int depth) => result.Append("Undefined");

    public PythonError Fail() => new(_kind, _message ?? (_key is string name
        ? $"'{PythonText.DescribeObject(_owner)}' has no attribute {PythonText.ReprOf(name)}"
        : $"{PythonText.DescribeObject(_owner)} has no element {PythonText.ReprOf(_key)}"));
}
