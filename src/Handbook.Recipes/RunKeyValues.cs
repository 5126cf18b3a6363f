using System.Globalization;
using Handbook.Recipes.Keys;
using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>The values that hold in a recipe for keys of one effect, as texts that can be compared with another run's.</summary>
internal static class RunKeyValues
{
    /// <summary>Keys that have a value, given or by default; those that are null are left out.</summary>
    public static IReadOnlyDictionary<string, string> Of(RecipeValues values, KeyEffect effect)
    {
        var holds = new Dictionary<string, string>();
        var plain = RecipeKeyTable.Rows.Where(row => row.Verb == KeyVerb.Honour && row.Effect == effect && row.Tasks.Includes(values.Task)
            && row.Kind is not (KeyKind.Section or KeyKind.SectionList) && !row.Name.Contains("[]", StringComparison.Ordinal))
            // Defaults follow the profile: it is what to tell first.
            .OrderBy(row => row.Name != "profile");
        foreach (var row in plain)
            Add(row.Name, values.Value(row.Name));
        foreach (var given in values.Given.Where(value => value.Path.Contains('[', StringComparison.Ordinal)))
        {
            if (RecipeKeyTable.Find(RecipeReader.TableName(given.Path))?.Effect == effect)
                Add(given.Path, given.Value);
        }
        return holds;

        void Add(string name, object? value)
        {
            if (value is not null)
                holds[name] = Text(value);
        }
    }

    private static string Text(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        IEnumerable<string> texts => string.Join(", ", texts),
        IEnumerable<double> numbers => string.Join(", ", numbers.Select(number => Text(number))),
        IEnumerable<KeyValuePair<string, double>> map => string.Join(", ", map.Select(entry => $"{entry.Key}: {Text(entry.Value)}")),
        IEnumerable<KeyValuePair<string, string>> map => string.Join(", ", map.Select(entry => $"{entry.Key}: {entry.Value}")),
        RowCount rows => Text(rows.Value),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
