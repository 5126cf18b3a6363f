using System.Text.Json;

namespace Handbook.Data.Sources;

/// <summary>
/// A parsed row seen through <see cref="SourceOptions.Columns"/> and <see cref="SourceOptions.Rename"/>; null values are absent.
/// </summary>
/// <param name="row">The row's object.</param>
/// <param name="options">Which columns there are and their names.</param>
public readonly struct RowColumns(JsonElement row, SourceOptions options)
{
    /// <summary>Names of the columns that have a value, after renaming, in order.</summary>
    public IEnumerable<string> Names
    {
        get
        {
            foreach (var property in row.EnumerateObject())
            {
                var name = options.Rename?.GetValueOrDefault(property.Name) ?? property.Name;
                if (property.Value.ValueKind != JsonValueKind.Null && (options.Columns is null || options.Columns.Contains(name)))
                    yield return name;
            }
        }
    }

    /// <summary>The value of a column, by its name after renaming; false when it is absent or null.</summary>
    public bool TryGet(string name, out JsonElement value)
    {
        value = default;
        if (options.Columns is not null && !options.Columns.Contains(name))
            return false;
        var original = name;
        if (options.Rename is not null)
        {
            foreach (var (from, to) in options.Rename)
            {
                if (string.Equals(to, name, StringComparison.Ordinal))
                    original = from;
            }
            if (original == name && options.Rename.ContainsKey(name))
                return false;
        }
        return row.TryGetProperty(original, out value) && value.ValueKind != JsonValueKind.Null;
    }
}
