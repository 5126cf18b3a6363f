namespace Handbook.Recipes.Keys;

/// <summary>Every key a recipe may hold. Checks, <c>recipe explain</c> and defaults read this one table.</summary>
public static class RecipeKeyTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<RecipeKey> Rows { get; } =
    [
        .. ModelKeys.Rows, .. DataKeys.Rows, .. SequenceKeys.Rows, .. OptimizationKeys.Rows, .. PreferenceKeys.Rows, .. GenerationKeys.Rows,
        .. AdapterKeys.Rows, .. RunKeys.Rows, .. OlderKeys.Rows, .. AcceptedKeys.Rows, .. RefusedKeys.Rows,
    ];

    private static readonly Dictionary<string, RecipeKey> ByName = Rows.ToDictionary(row => row.Name);

    /// <summary>The row of a name, <c>parent.child</c> inside sections; null when there is none.</summary>
    public static RecipeKey? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The names that may stand in a section (<c>""</c> for the top) of a task's recipe and that do something.</summary>
    public static IEnumerable<string> Names(string section, string task) => Rows
        .Where(row => row.Section == section && row.Verb is KeyVerb.Honour or KeyVerb.Alias && row.Tasks.Includes(task))
        .Select(row => row.LocalName);

    /// <summary>Options with every value of a recipe in them, in the order of the rows.</summary>
    internal static TOptions Fill<TOptions>(TOptions options, RecipeValues values) => Rows
        .Where(row => row.Tasks.Includes(values.Task)).SelectMany(row => row.Bindings).OfType<KeyBinding<TOptions>>()
        .Aggregate(options, (filled, binding) => binding.Apply(filled, values));

    internal static RecipeKey<T> Row<T>(string name, ValueForm<T> form, KeyOrigin origin, string? value, string doc) => new()
    {
        Name = name,
        Kind = form.Kind,
        Of = form.Of,
        Choices = form.Choices,
        Origin = origin,
        Doc = doc,
        Defaults = value is null ? [] : [new KeyDefault(value)],
        IsNullable = form.IsNullable,
    };
}
