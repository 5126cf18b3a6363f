using System.Globalization;
using System.Numerics;
using System.Text;
using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>Python's <c>json.dumps</c>.</summary>
/// <param name="context">Limits of the rendering.</param>
/// <param name="ensureAscii">Escape everything beyond ASCII.</param>
/// <param name="margin">One level of indentation; null writes one line.</param>
/// <param name="itemSeparator">Between items.</param>
/// <param name="keySeparator">Between a key and its value.</param>
/// <param name="sortKeys">Write keys in order.</param>
internal sealed class JsonWriter(
    RenderContext context, bool ensureAscii, string? margin, string itemSeparator, string keySeparator, bool sortKeys)
{
    private readonly StringBuilder _result = new();

    public string Write(object? value)
    {
        context.Charge(4);
        Append(value, 0);
        return _result.ToString();
    }

    private void Append(object? value, int depth)
    {
        if (depth > context.Limits.MaxDepth)
            throw PythonError.Recursion();
        context.Charge(1);
        context.CheckLength(_result.Length);
        switch (value)
        {
            case null: _result.Append("null"); break;
            case bool truth: _result.Append(truth ? "true" : "false"); break;
            case long or BigInteger: _result.Append(PythonText.ReprOf(value)); break;
            case double real: _result.Append(Number(real)); break;
            case string or Markup: AppendText(Operations.AsText(value)!); break;
            case SequenceValue sequence: AppendItems(sequence.Items, depth); break;
            case DictValue dict: AppendEntries(dict, depth); break;
            default: throw PythonError.Type($"Object of type {PythonText.TypeName(value)} is not JSON serializable");
        }
    }

    private static string Number(double real) => double.IsFinite(real) ? PythonFloat.Repr(real)
        : double.IsNaN(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity";

    private void AppendItems(object?[] items, int depth)
    {
        _result.Append('[');
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0)
                _result.Append(itemSeparator);
            NewLine(depth + 1);
            Append(items[i], depth + 1);
        }
        if (items.Length > 0)
            NewLine(depth);
        _result.Append(']');
    }

    private void AppendEntries(DictValue dict, int depth)
    {
        IEnumerable<KeyValuePair<object?, object?>> entries = dict.Entries;
        if (sortKeys)
            entries = Sorting.Sort(context, dict.Entries, entry => entry.Key, reverse: false);
        _result.Append('{');
        var first = true;
        foreach (var (key, value) in entries)
        {
            if (!first)
                _result.Append(itemSeparator);
            first = false;
            NewLine(depth + 1);
            AppendText(KeyText(key));
            _result.Append(keySeparator);
            Append(value, depth + 1);
        }
        if (!first)
            NewLine(depth);
        _result.Append('}');
    }

    private static string KeyText(object? key) => key switch
    {
        string or Markup => Operations.AsText(key)!,
        null => "null",
        bool truth => truth ? "true" : "false",
        double real => Number(real),
        long or BigInteger => PythonText.ReprOf(key),
        _ => throw PythonError.Type($"keys must be str, int, float, bool or None, not {PythonText.TypeName(key)}"),
    };

    private void NewLine(int depth)
    {
        if (margin is null)
            return;
        context.CheckLength(_result.Length + 1 + ((long)margin.Length * depth));
        context.Charge(margin.Length * (long)depth / 8);
        _result.Append('\n');
        for (var i = 0; i < depth; i++)
            _result.Append(margin);
        context.CheckLength(_result.Length);
    }

    private void AppendText(string text)
    {
        Budget.Walk(text.Length);
        _result.Append('"');
        foreach (var unit in text)
        {
            switch (unit)
            {
                case '"': _result.Append("\\\""); break;
                case '\\': _result.Append("\\\\"); break;
                case '\n': _result.Append("\\n"); break;
                case '\r': _result.Append("\\r"); break;
                case '\t': _result.Append("\\t"); break;
                case '\b': _result.Append("\\b"); break;
                case '\f': _result.Append("\\f"); break;
                case < ' ':
                case > '~' when ensureAscii: _result.Append("\\u").Append(((int)unit).ToString("x4", CultureInfo.InvariantCulture)); break;
                default: _result.Append(unit); break;
            }
        }
        _result.Append('"');
    }
}
