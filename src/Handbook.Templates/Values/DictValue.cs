using System.Text;

namespace Handbook.Templates.Values;

/// <summary>
/// A Python dict: insertion order, Python's equality of keys (1, 1.0 and True are one key). Small ones are searched in
/// order; larger ones get an index when first asked. Never changed once a template can see it.
/// </summary>
internal sealed class DictValue : TemplateValue
{
    private const int SmallCount = 8;
    private readonly List<KeyValuePair<object?, object?>> _entries;
    private Dictionary<object, int>? _index;

    public DictValue(int capacity = 4) => _entries = new List<KeyValuePair<object?, object?>>(capacity);

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => _entries;

    /// <summary>Which message of the conversation this is, from 0; -1 for any other dict.</summary>
    public int MessageIndex { get; init; } = -1;

    public override string TypeName => "dict";

    public override int? Length => _entries.Count;

    public override IEnumerator<object?> Iterate() => _entries.Select(entry => entry.Key).GetEnumerator();

    /// <summary>Sets a key while the dict is being built.</summary>
    public DictValue Set(object? key, object? value)
    {
        var at = Find(key);
        if (at >= 0)
        {
            _entries[at] = new(_entries[at].Key, value);
            return this;
        }
        _entries.Add(new(key, value));
        _index?.Add(new Key(key).Boxed, _entries.Count - 1);
        return this;
    }

    public bool TryGetValue(object? key, out object? value)
    {
        var at = Find(key);
        value = at >= 0 ? _entries[at].Value : null;
        return at >= 0;
    }

    public override bool TryGetItem(object? key, out object? value)
    {
        if (key is string or null || Operations.IsHashable(key))
            return TryGetValue(key, out value);
        value = null;
        return false;
    }

    public override bool TryGetAttribute(string name, out object? value) => DictMethods.TryGet(this, name, out value);

    public override void AppendRepr(StringBuilder result, int depth)
    {
        result.Append('{');
        for (var i = 0; i < _entries.Count; i++)
        {
            if (i > 0)
                result.Append(", ");
            PythonText.AppendRepr(result, _entries[i].Key, depth + 1);
            result.Append(": ");
            PythonText.AppendRepr(result, _entries[i].Value, depth + 1);
        }
        result.Append('}');
    }

    private int Find(object? key)
    {
        if (_entries.Count > SmallCount || key is not string text)
            return FindByIndex(key);
        for (var i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].Key is string candidate && candidate.Length == text.Length && Operations.AreEqual(candidate, text))
                return i;
        }
        return -1;
    }

    private int FindByIndex(object? key)
    {
        if (key is not string)
            Operations.RequireHashable(key);
        var index = _index;
        if (index is null)
        {
            index = new Dictionary<object, int>(_entries.Count, KeyComparer.Instance);
            for (var i = 0; i < _entries.Count; i++)
                index.Add(new Key(_entries[i].Key).Boxed, i);
            _index = index;
        }
        return index.TryGetValue(new Key(key).Boxed, out var at) ? at : -1;
    }

    private readonly struct Key(object? key)
    {
        private static readonly object None = new();

        public object Boxed => key ?? None;
    }

    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();

        public new bool Equals(object? x, object? y) => Operations.AreEqual(x, y);

        public int GetHashCode(object obj) => Operations.Hash(obj);
    }
}

/// <summary><c>d.keys()</c>, <c>d.values()</c> or <c>d.items()</c>.</summary>
internal sealed class DictView(DictValue dict, string kind, Func<KeyValuePair<object?, object?>, object?> select) : TemplateValue
{
    public override string TypeName => kind;

    public override int? Length => dict.Length;

    /// <summary>Keys and items are sets to Python; values are equal to nothing.</summary>
    public bool EqualsSet(DictView other)
    {
        if (kind == "dict_values" || kind != other.TypeName || Length != other.Length)
            return false;
        for (var items = other.Iterate(); items.MoveNext();)
        {
            if (!Has(items.Current))
                return false;
        }
        return true;
    }

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name == "mapping" ? dict : name == "isdisjoint" && kind != "dict_values"
            ? new BuiltinFunction(name, (context, arguments) =>
                Numbers.Box(!Operations.Each(context, new Signature(name, 1, "other").Bind(arguments)[0]).Any(Has))) : null;
        return value is not null;
    }

    private bool Has(object? item) => kind == "dict_keys" ? dict.TryGetValue(item, out _)
        : item is TupleValue { Items: [var key, var value] } && dict.TryGetValue(key, out var own) && Operations.AreEqual(own, value);

    public override IEnumerator<object?> Iterate() => dict.Entries.Select(select).GetEnumerator();

    public override void AppendRepr(StringBuilder result, int depth) =>
        PythonText.AppendSequence(result.Append(kind).Append('('), '[', [.. dict.Entries.Select(select)], "])", depth);
}

/// <summary>Jinja2's <c>namespace()</c>: the one thing a template may change.</summary>
internal sealed class NamespaceValue : TemplateValue
{
    private readonly Dictionary<object, object?> _attributes = new();

    public override string TypeName => "Namespace";

    public override string QualifiedTypeName => "jinja2.utils.Namespace";

    public void Set(object? name, object? value) => _attributes[name ?? ""] = value;

    public override bool TryGetAttribute(string name, out object? value) => _attributes.TryGetValue(name, out value);

    public override bool TryGetItem(object? key, out object? value) => _attributes.TryGetValue(key ?? "", out value);

    public override void AppendRepr(StringBuilder result, int depth)
    {
        var content = new DictValue();
        foreach (var (name, value) in _attributes)
            content.Set(name, value);
        PythonText.AppendRepr(result.Append("<Namespace "), content, depth + 1);
        result.Append('>');
    }
}
