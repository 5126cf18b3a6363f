using System.Text.Json;
using Handbook.Data.Sources;

namespace Handbook.Data.Examples;

/// <summary>Reads rows that hold token ids already.</summary>
internal static class TokenizedReader
{
    private const int IgnoreIndex = -100;

    /// <summary>Reads <c>input_ids</c>; labels come from <c>labels</c>, else from a mask column, else all tokens count.</summary>
    /// <exception cref="BadRowException">Columns are no lists of integers, or differ in length.</exception>
    public static TokenizedExample Read(RowColumns row, RowPlace place)
    {
        var ids = Integers(row, place, "input_ids") ?? throw new BadRowException(place, "input_ids", "missing or null");
        if (ids.Length == 0 || ids.Min() < 0)
            throw new BadRowException(place, "input_ids", ids.Length == 0 ? "an empty list" : $"the id {ids.Min()} is negative");
        var mask = new bool[ids.Length];
        Array.Fill(mask, true);
        Restrict(mask, Integers(row, place, "labels"), "labels", label => label != IgnoreIndex, place);
        if (!row.TryGet("labels", out _))
        {
            foreach (var column in new[] { "completion_mask", "assistant_masks" })
                Restrict(mask, Integers(row, place, column), column, flag => flag != 0, place);
        }
        return new TokenizedExample(ids, mask) { Place = place };
    }

    private static void Restrict(bool[] mask, int[]? values, string column, Predicate<int> counts, RowPlace place)
    {
        if (values is null)
            return;
        if (values.Length != mask.Length)
            throw new BadRowException(place, column,
                FormattableString.Invariant($"{Quantity.Of(values.Length, "entry", "entries")}; input_ids has {mask.Length}"));
        for (var i = 0; i < mask.Length; i++)
            mask[i] &= counts(values[i]);
    }

    private static int[]? Integers(RowColumns row, RowPlace place, string column)
    {
        if (!row.TryGet(column, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw new BadRowException(place, column, $"{JsonKind.Of(value)}; expected a list of integers");
        var numbers = new int[value.GetArrayLength()];
        var i = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out numbers[i++]))
                throw new BadRowException(place, column, FormattableString.Invariant($"entry {i} is {item}; expected an integer"));
        }
        return numbers;
    }
}
