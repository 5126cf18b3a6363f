using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;

namespace Handbook.Recipes.Yaml;

/// <summary>A place in a YAML text, both numbers counted from 1.</summary>
/// <param name="Line">The line.</param>
/// <param name="Column">The column.</param>
public readonly record struct YamlPosition(int Line, int Column);

/// <summary>A value as PyYAML's <c>safe_load</c> would construct it, with the place where it stands.</summary>
public abstract record YamlValue(YamlPosition Position)
{
    /// <summary>What a person would call it: "text 'yes'", "a list".</summary>
    public abstract string Describe();

    /// <summary>The value as JSON; dates and bytes become text, keys that are not text are written as text.</summary>
    public abstract JsonNode? ToJson();

    /// <summary>Whether Python could use the value as a key of a mapping.</summary>
    internal virtual bool IsHashable => true;

    /// <summary>What Python's equality of keys compares: <c>1</c>, <c>1.0</c> and <c>true</c> are one key.</summary>
    internal abstract object Identity { get; }
}

/// <summary><c>null</c>, <c>~</c> or nothing.</summary>
public sealed record YamlNull(YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => "null";

    /// <inheritdoc/>
    public override JsonNode? ToJson() => null;

    internal override object Identity => typeof(YamlNull);
}

/// <summary>A truth value; YAML 1.1 reads <c>yes</c>, <c>no</c>, <c>on</c>, <c>off</c> so too.</summary>
public sealed record YamlBoolean(bool Value, YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => Value ? "true" : "false";

    /// <inheritdoc/>
    public override JsonNode? ToJson() => JsonValue.Create(Value);

    internal override object Identity => Value ? 1.0 : 0.0;
}

/// <summary>A whole number of any size.</summary>
public sealed record YamlInteger(BigInteger Value, YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => Value.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override JsonNode? ToJson() =>
        Value >= long.MinValue && Value <= long.MaxValue ? JsonValue.Create((long)Value) : JsonNode.Parse(Describe());

    internal override object Identity => (BigInteger)(double)Value == Value ? (double)Value : Value;
}

/// <summary>A floating-point number.</summary>
public sealed record YamlFloat(double Value, YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => PythonText(Value);

    /// <inheritdoc/>
    public override JsonNode? ToJson() => double.IsFinite(Value) ? JsonValue.Create(Value) : JsonValue.Create(PythonText(Value));

    internal override object Identity => Value;

    private static string PythonText(double value) =>
        double.IsNaN(value) ? ".nan"
            : double.IsInfinity(value) ? (value > 0 ? ".inf" : "-.inf") : value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>A text.</summary>
public sealed record YamlString(string Value, YamlPosition Position) : YamlValue(Position)
{
    private const int ShownLength = 40;

    /// <inheritdoc/>
    public override string Describe()
    {
        var line = Value.ReplaceLineEndings(" ");
        return line.Length <= ShownLength ? $"text '{line}'" : $"text '{line[..ShownLength]}...'";
    }

    /// <inheritdoc/>
    public override JsonNode? ToJson() => JsonValue.Create(Value);

    internal override object Identity => Value;
}

/// <summary>A date (<see cref="HasTime"/> false) or a moment, in Python's <c>isoformat</c>.</summary>
public sealed record YamlTimestamp(string Iso, bool HasTime, YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => (HasTime ? "the moment " : "the date ") + Iso;

    /// <inheritdoc/>
    public override JsonNode? ToJson() => JsonValue.Create(Iso);

    internal override object Identity => (typeof(YamlTimestamp), Iso);
}

/// <summary>Bytes (<c>!!binary</c>).</summary>
public sealed record YamlBinary(byte[] Value, YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => "bytes";

    /// <inheritdoc/>
    public override JsonNode? ToJson() => JsonValue.Create(Convert.ToBase64String(Value));

    internal override object Identity => (typeof(YamlBinary), Convert.ToBase64String(Value));
}

/// <summary>A list.</summary>
public sealed record YamlSequence(IReadOnlyList<YamlValue> Items, YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => "a list";

    /// <inheritdoc/>
    public override JsonNode? ToJson() => new JsonArray([.. Items.Select(item => item.ToJson())]);

    internal override bool IsHashable => false;

    internal override object Identity => this;
}

/// <summary>A set (<c>!!set</c>), in order of appearance.</summary>
public sealed record YamlSet(IReadOnlyList<YamlValue> Items, YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => "a set";

    /// <inheritdoc/>
    public override JsonNode? ToJson() => new JsonArray([.. Items.Select(item => item.ToJson())]);

    internal override bool IsHashable => false;

    internal override object Identity => this;
}

/// <summary>A mapping, in order of first appearance; of a repeated key the last value counts.</summary>
/// <param name="Entries">Its keys and values.</param>
/// <param name="Repeated">Keys written more than once, at their later places.</param>
/// <param name="Position">Where it begins.</param>
public sealed record YamlMapping(
    IReadOnlyList<KeyValuePair<YamlValue, YamlValue>> Entries, IReadOnlyList<YamlValue> Repeated,
    YamlPosition Position) : YamlValue(Position)
{
    /// <inheritdoc/>
    public override string Describe() => "a mapping";

    /// <inheritdoc/>
    public override JsonNode? ToJson()
    {
        var json = new JsonObject();
        foreach (var (key, value) in Entries)
            json[KeyText(key)] = value.ToJson();
        return json;
    }

    /// <summary>A key as text: itself when it is text, else as YAML would write it.</summary>
    public static string KeyText(YamlValue key) => key is YamlString text ? text.Value : key.ToJson()?.ToJsonString() ?? "null";

    internal override bool IsHashable => false;

    internal override object Identity => this;
}
