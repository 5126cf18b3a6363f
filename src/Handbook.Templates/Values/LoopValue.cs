using System.Globalization;
using System.Text;

namespace Handbook.Templates.Values;

/// <summary><c>loop</c>: where a for loop stands. It reads ahead only when asked what comes next or how long it is.</summary>
internal sealed class LoopValue : TemplateValue
{
    private readonly object? _source;
    private readonly int _depth;
    private readonly Func<object?, string>? _recurse;
    private IEnumerator<object?> _items;
    private int? _length;
    private bool _hasNext;
    private object? _next;
    private object? _previous;
    private TupleValue? _lastChanged;
    private int _index = -1;

    public LoopValue(object? source, int depth, Func<object?, string>? recurse) =>
        (_source, _depth, _recurse, _items) = (source, depth, recurse, Operations.Iterate(source));

    public override string TypeName => "LoopContext";

    public override string QualifiedTypeName => "jinja2.runtime.LoopContext";

    public override int? Length => GetLength();

    public override bool IsCallable => true;

    public object? Current { get; private set; }

    public bool MoveNext()
    {
        if (!_hasNext && !_items.MoveNext())
            return false;
        _previous = Current;
        Current = _hasNext ? _next : _items.Current;
        (_hasNext, _next) = (false, null);
        _index++;
        return true;
    }

    private bool Peek()
    {
        if (!_hasNext && _items.MoveNext())
            (_hasNext, _next) = (true, _items.Current);
        return _hasNext;
    }

    private int GetLength()
    {
        if (_length is { } known)
            return known;
        if (Operations.TryLength(_source) is { } length)
            return (_length = length).Value;
        var rest = new List<object?>();
        while (_items.MoveNext())
            rest.Add(_items.Current);
        _items = rest.GetEnumerator();
        return (_length = rest.Count + _index + 1 + (_hasNext ? 1 : 0)).Value;
    }

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch
        {
            "index" => Numbers.Box(_index + 1L),
            "index0" => Numbers.Box((long)_index),
            "revindex" => Numbers.Box((long)GetLength() - _index),
            "revindex0" => Numbers.Box((long)GetLength() - _index - 1),
            "first" => Numbers.Box(_index == 0),
            "last" => Numbers.Box(!Peek()),
            "length" => Numbers.Box((long)GetLength()),
            "depth" => Numbers.Box(_depth + 1L),
            "depth0" => Numbers.Box((long)_depth),
            "previtem" => _index == 0 ? Undefined.Hint("there is no previous item") : _previous,
            "nextitem" => Peek() ? _next : Undefined.Hint("there is no next item"),
            "cycle" => new BuiltinFunction(name, (_, arguments) => Cycle(arguments)),
            "changed" => new BuiltinFunction(name, (_, arguments) => Changed(arguments)),
            _ => Signature.Missing,
        };
        return value != Signature.Missing;
    }

    private object? Cycle(Arguments arguments) => arguments.Positional.Length > 0
        ? arguments.Positional[_index % arguments.Positional.Length]
        : throw PythonError.Type("no items for cycling given");

    private object Changed(Arguments arguments)
    {
        var value = new TupleValue(arguments.Positional);
        if (_lastChanged is not null && Operations.AreEqual(_lastChanged, value))
            return Numbers.False;
        _lastChanged = value;
        return Numbers.True;
    }

    public override object? Call(RenderContext context, Arguments arguments)
    {
        var items = new Signature("LoopContext.__call__", 1, "iterable").Bind(arguments)[0];
        return _recurse is not null ? _recurse(items)
            : throw PythonError.Type("The loop must have the 'recursive' marker to be called recursively.");
    }

    public override void AppendRepr(StringBuilder result, int depth) =>
        result.Append(CultureInfo.InvariantCulture, $"<LoopContext {_index + 1}/{GetLength()}>");
}
