using System.Numerics;
using System.Text;

namespace Handbook.Templates.Values;

/// <summary>A Python list or tuple. The sandbox forbids every change of a list, so both are fixed arrays.</summary>
internal abstract class SequenceValue(object?[] items) : TemplateValue
{
    public object?[] Items { get; } = items;

    public override int? Length => Items.Length;

    public abstract SequenceValue With(object?[] items);

    public override IEnumerator<object?> Iterate() => ((IEnumerable<object?>)Items).GetEnumerator();

    public override bool TryGetItem(object? key, out object? value)
    {
        if (key is SliceValue slice)
        {
            var bounds = slice.Of(Items.Length);
            Budget.Walk(bounds.Count);
            var taken = new object?[bounds.Count];
            for (var (i, from) = (0, bounds.Start); i < taken.Length; i++, from += bounds.Step)
                taken[i] = Items[from];
            value = With(taken);
            return true;
        }
        value = null;
        if (!Sequences.TryGetIndex(key, Items.Length, out var index))
            return false;
        value = Items[index];
        return true;
    }
}

internal sealed class ListValue(params object?[] items) : SequenceValue(items)
{
    public override string TypeName => "list";

    public override SequenceValue With(object?[] items) => new ListValue(items);

    public override bool TryGetAttribute(string name, out object? value) => SequenceMethods.TryGetList(this, name, out value);

    public override void AppendRepr(StringBuilder result, int depth) => PythonText.AppendSequence(result, '[', Items, "]", depth);
}

internal class TupleValue(params object?[] items) : SequenceValue(items)
{
    public override string TypeName => "tuple";

    public override SequenceValue With(object?[] items) => new TupleValue(items);

    public override bool TryGetAttribute(string name, out object? value) => SequenceMethods.TryGetTuple(this, name, out value);

    public override void AppendRepr(StringBuilder result, int depth) =>
        PythonText.AppendSequence(result, '(', Items, Items.Length == 1 ? ",)" : ")", depth);
}

/// <summary>What <c>groupby</c> yields: a tuple whose halves have names.</summary>
internal sealed class GroupValue(object? grouper, ListValue list) : TupleValue(grouper, list)
{
    public override string TypeName => "_GroupTuple";

    public override string QualifiedTypeName => "jinja2.filters._GroupTuple";

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch { "grouper" => Items[0], "list" => Items[1], _ => null };
        return name is "grouper" or "list" || base.TryGetAttribute(name, out value);
    }
}

/// <summary>A Python range.</summary>
internal sealed class RangeValue(long start, long stop, long step, int count) : TemplateValue
{
    public override string TypeName => "range";

    public override int? Length => count;

    public override IEnumerator<object?> Iterate() =>
        Enumerable.Range(0, count).Select(i => Numbers.Box(start + (i * step))).GetEnumerator();

    public override bool TryGetItem(object? key, out object? value)
    {
        if (key is SliceValue slice)
        {
            var bounds = slice.Of(count);
            var from = start + (bounds.Start * step);
            value = new RangeValue(from, start + (bounds.Stop * step), step * bounds.Step, bounds.Count);
            return true;
        }
        value = null;
        if (!Sequences.TryGetIndex(key, count, out var index))
            return false;
        value = Numbers.Box(start + (index * step));
        return true;
    }

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch { "start" => start, "stop" => stop, "step" => step, _ => null };
        return value is not null || (name is "index" or "count" && SequenceMethods.TryGetTuple(
            new TupleValue([.. Enumerable.Range(0, count).Select(i => Numbers.Box(start + (i * step)))]), name, out value));
    }

    public override void AppendRepr(StringBuilder result, int depth) =>
        result.Append(step == 1 ? $"range({start}, {stop})" : $"range({start}, {stop}, {step})");
}

/// <summary>A Python generator or other iterator: it can be walked once.</summary>
internal sealed class LazyValue(IEnumerable<object?> items, string typeName = "generator") : TemplateValue
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public override string TypeName => typeName;

    public override IEnumerator<object?> Iterate() => _items;
}

/// <summary><c>start:stop:step</c> between brackets.</summary>
internal sealed class SliceValue(object? start, object? stop, object? step) : TemplateValue
{
    public override string TypeName => "slice";

    public SliceBounds Of(int length) => SliceBounds.Of(length, Index(start), Index(stop), Index(step));

    public override void AppendRepr(StringBuilder result, int depth) =>
        PythonText.AppendSequence(result.Append("slice"), '(', [start, stop, step], ")", depth);

    private static long? Index(object? bound) => bound switch
    {
        null => null,
        long number => number,
        bool truth => truth ? 1 : 0,
        BigInteger big => big.Sign > 0 ? long.MaxValue : long.MinValue + 1,
        Undefined undefined => throw undefined.Fail(),
        _ => throw PythonError.Type("slice indices must be integers or None or have an __index__ method"),
    };
}

internal static class Sequences
{
    /// <summary>An index from a key: integers and booleans, negative from the end; false when out of range or no integer.</summary>
    public static bool TryGetIndex(object? key, int length, out int index)
    {
        var at = key switch { long number => number, bool truth => truth ? 1 : 0, _ => long.MaxValue };
        if (at < 0)
            at += length;
        index = at >= 0 && at < length ? (int)at : -1;
        return index >= 0;
    }

    public static bool TryGetItem(string text, object? key, out object? value)
    {
        value = null;
        if (key is SliceValue slice)
        {
            value = CodePoints.Slice(text, slice.Of(CodePoints.Length(text)));
            return true;
        }
        if (key is not (long or bool) || !TryGetIndex(key, CodePoints.Length(text), out var index))
            return false;
        value = CodePoints.At(text, index);
        return true;
    }
}
