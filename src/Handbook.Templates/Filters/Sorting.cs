using Handbook.Templates.Values;

namespace Handbook.Templates.Filters;

/// <summary>
/// Python's <c>sorted</c>: stable, by <c>&lt;</c> alone, also in reverse. A merge sort of its own, because .NET's sorts wrap
/// what a comparison throws and need a consistent order.
/// </summary>
internal static class Sorting
{
    public static IEnumerable<T> Sort<T>(RenderContext context, IReadOnlyCollection<T> items, Func<T, object?> keyOf, bool reverse)
    {
        var entries = items.Select(item => (Key: keyOf(item), Item: item)).ToArray();
        Merge(context, entries, new (object?, T)[entries.Length], 0, entries.Length, reverse);
        return entries.Select(entry => entry.Item);
    }

    public static object? IgnoreCase(object? value) => Operations.AsText(value) is { } text ? PythonCase.Lower(text) : value;

    private static void Merge<T>(
        RenderContext context, (object? Key, T Item)[] entries, (object?, T)[] spare, int start, int end, bool reverse)
    {
        if (end - start < 2)
            return;
        var middle = (start + end) / 2;
        Merge(context, entries, spare, start, middle, reverse);
        Merge(context, entries, spare, middle, end, reverse);
        Array.Copy(entries, start, spare, start, end - start);
        var (left, right) = (start, middle);
        for (var i = start; i < end; i++)
        {
            context.Charge(1);
            var takeRight = left >= middle || (right < end && Precedes(spare[right], spare[left]));
            entries[i] = takeRight ? spare[right++] : spare[left++];
        }

        bool Precedes((object? Key, T) later, (object? Key, T) earlier) =>
            reverse ? Operations.Compare("<", earlier.Key, later.Key) : Operations.Compare("<", later.Key, earlier.Key);
    }
}
