namespace Handbook.Data.Sources;

/// <summary>How a CSV file is laid out where a dataset's card says so.</summary>
/// <param name="Separator">What stands between fields; null: a tab in <c>.tsv</c>, a comma in others.</param>
/// <param name="Names">The columns' names instead of those of the heading; null: the heading's.</param>
/// <param name="HasHeading">Whether the first record is a heading; null: when there are no names.</param>
public sealed record CsvDialect(char? Separator = null, IReadOnlyList<string>? Names = null, bool? HasHeading = null)
{
    /// <summary>Whether the first record is a heading.</summary>
    internal bool FirstIsHeading => HasHeading ?? Names is null;

    /// <summary>
    /// Names as pandas tells them apart: of equal ones the second is <c>name.1</c> (or the next that is free), one without a name
    /// is <c>Unnamed: 0</c> by its place.
    /// </summary>
    internal static string[] Distinct(IReadOnlyList<string> names)
    {
        var result = names.Select((name, i) => name.Length > 0 ? name : FormattableString.Invariant($"Unnamed: {i}")).ToArray();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        // Names that the file gives come first: what is unnamed gives way to them.
        foreach (var i in Enumerable.Range(0, result.Length).OrderBy(i => names[i].Length == 0))
        {
            var (name, count) = (result[i], seen.GetValueOrDefault(result[i]));
            for (var candidate = name; count > 0;)
            {
                seen[name] = count + 1;
                candidate = FormattableString.Invariant($"{name}.{count}");
                count = result.Contains(candidate) ? count + 1 : seen.GetValueOrDefault(candidate);
                result[i] = candidate;
            }
            seen[result[i]] = count + 1;
        }
        return result;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Separator} {string.Join('\u001f', Names ?? [])} {HasHeading}";
}
