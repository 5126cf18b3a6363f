using Handbook.Templates.Values;

namespace Handbook.Templates.Nodes;

/// <summary>Gives values to names: one, a namespace's attribute, or a tuple's parts.</summary>
internal static class Targets
{
    public static void Assign(RenderContext context, Scope scope, Expression target, object? value)
    {
        switch (target)
        {
            case Name name: scope.Set(name.Text, value); break;
            case NamespaceTarget attribute: attribute.Assign(context, scope, value); break;
            case Collection collection: Unpack(context, scope, collection.Items, value); break;
        }
    }

    private static void Unpack(RenderContext context, Scope scope, Expression[] targets, object? value)
    {
        var items = Operations.TryIterate(value)
            ?? throw PythonError.Type($"cannot unpack non-iterable {PythonText.TypeName(value)} object");
        var values = new List<object?>(targets.Length);
        while (values.Count <= targets.Length && items.MoveNext())
            values.Add(items.Current);
        if (values.Count > targets.Length)
            throw PythonError.Value($"too many values to unpack (expected {targets.Length})");
        if (values.Count < targets.Length)
            throw PythonError.Value($"not enough values to unpack (expected {targets.Length}, got {values.Count})");
        for (var i = 0; i < targets.Length; i++)
            Assign(context, scope, targets[i], values[i]);
    }
}
