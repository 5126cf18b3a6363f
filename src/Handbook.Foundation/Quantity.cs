using System.Globalization;

namespace Handbook;

/// <summary>A number with its noun in the form that belongs to it: <c>1 row</c>, <c>2 rows</c>.</summary>
public static class Quantity
{
    /// <summary>The number and the noun; <paramref name="many"/> where the plural is not the noun and an s.</summary>
    public static string Of(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? one + "s")}");

    /// <summary>The word alone that belongs to a number, for a verb or a noun that stands elsewhere.</summary>
    public static string Word(long count, string one, string many) => count == 1 ? one : many;
}
