using System.Text.Json.Nodes;
using Handbook.Templates.Values;

namespace Handbook.Templates;

/// <summary>The names a template sees and their values. A name set to null is defined and none; one not set is undefined.</summary>
public sealed class TemplateVariables
{
    private readonly List<KeyValuePair<string, object?>> _values = [];

    /// <summary>Sets a name to a JSON value, which the template sees as Python's <c>json.loads</c> would give it.</summary>
    public TemplateVariables Set(string name, JsonNode? value) => SetValue(name, JsonValues.FromJson(value));

    /// <summary>Sets a name to a text or to none.</summary>
    public TemplateVariables Set(string name, string? value) => SetValue(name, value);

    /// <summary>Sets a name to true or false.</summary>
    public TemplateVariables Set(string name, bool value) => SetValue(name, Numbers.Box(value));

    internal TemplateVariables SetValue(string name, object? value)
    {
        _values.Add(new(name, value));
        return this;
    }

    internal void CopyTo(Scope scope)
    {
        foreach (var (name, value) in _values)
            scope.Set(name, value);
    }
}
