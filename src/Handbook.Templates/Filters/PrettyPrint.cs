using System.Text;
using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>Python's <c>pprint.pformat</c>: one line if it fits 80 columns, else one element a line; dict keys sorted.</summary>
internal static class PrettyPrint
{
    private const int Width = 80;

    public static string Of(object? value)
    {
        var result = new StringBuilder();
        Append(result, value, 0, 1, 0);
        return result.ToString();
    }

    private static void Append(StringBuilder result, object? value, int indent, int allowance, int depth)
    {
        if (depth > 160)
            throw PythonError.Recursion();
        Budget.Spend(4);
        var sorted = value is DictValue dict ? Sorted(dict) : null;
        var line = PythonText.ReprOf(Flat(value, depth));
        if (line.Length <= Width - indent - allowance || value is not (SequenceValue or DictValue))
        {
            Budget.Fit((long)result.Length + line.Length);
            result.Append(line);
            return;
        }
        result.Append(sorted is not null ? '{' : value is ListValue ? '[' : '(');
        var close = sorted is not null ? "}" : value is ListValue ? "]" : ((SequenceValue)value).Items.Length == 1 ? ",)" : ")";
        var count = sorted?.Entries.Count ?? ((SequenceValue)value).Items.Length;
        for (var i = 0; i < count; i++)
        {
            if (i > 0)
            {
                Budget.Make(indent + 3);
                Budget.Fit((long)result.Length + indent + 3);
                result.Append(",\n").Append(' ', indent + 1);
            }
            var rest = i == count - 1 ? allowance + close.Length : 1;
            if (sorted is null)
            {
                Append(result, ((SequenceValue)value).Items[i], indent + 1, rest, depth + 1);
                continue;
            }
            var key = PythonText.ReprOf(sorted.Entries[i].Key) + ": ";
            Budget.Fit((long)result.Length + key.Length);
            result.Append(key);
            Append(result, sorted.Entries[i].Value, indent + 1 + key.Length, rest, depth + 1);
        }
        result.Append(close);
    }

    /// <summary>The value with every dict inside it sorted, as the one-line form prints it.</summary>
    private static object? Flat(object? value, int depth)
    {
        if (depth > 160)
            throw PythonError.Recursion();
        Budget.Spend(4);
        return value switch
        {
            SequenceValue sequence => sequence.With(Array.ConvertAll(sequence.Items, item => Flat(item, depth + 1))),
            DictValue dict =>
                Sorted(dict).Entries.Aggregate(new DictValue(), (flat, entry) => flat.Set(entry.Key, Flat(entry.Value, depth + 1))),
            _ => value,
        };
    }

    /// <summary>Keys in order; keys of types that do not compare go by type name, as pprint's safe key does.</summary>
    private static DictValue Sorted(DictValue dict)
    {
        Budget.Spend(dict.Entries.Count * 8L);
        var entries = dict.Entries.OrderBy(entry => entry.Key, Comparer<object?>.Create((a, b) =>
        {
            if (Operations.AsText(a) is { } x && Operations.AsText(b) is { } y)
                return Operations.CompareText(x, y);
            if (a is not null && b is not null && Numbers.IsNumber(a) && Numbers.IsNumber(b))
                return Numbers.Compare(a, b) ?? 0;
            return string.CompareOrdinal(PythonText.TypeName(a), PythonText.TypeName(b));
        }));
        return entries.Aggregate(new DictValue(), (sorted, entry) => sorted.Set(entry.Key, entry.Value));
    }
}
