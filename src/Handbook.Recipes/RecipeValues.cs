using System.Text.Json.Nodes;
using Handbook.Recipes.Keys;
using Handbook.Recipes.Yaml;
using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>A checked value and where it stands.</summary>
/// <param name="Path">The key, with its sections and places in lists: <c>dataset_mixture.datasets[0].id</c>.</param>
/// <param name="Value">A string, bool, long, double, list or mapping of those, a JSON object, or null.</param>
/// <param name="Position">Where it stands.</param>
public sealed record RecipeValue(string Path, object? Value, YamlPosition Position);

/// <summary>The values of one recipe by key, each with its default when it is not given.</summary>
public sealed class RecipeValues
{
    private readonly Dictionary<string, RecipeValue> given;

    internal RecipeValues(IEnumerable<RecipeValue> given, string task, Profile profile)
    {
        this.given = given.ToDictionary(value => value.Path);
        Task = task;
        Profile = profile;
    }

    /// <summary>What the recipe is for.</summary>
    internal string Task { get; }

    /// <summary>Whose rules are followed.</summary>
    internal Profile Profile { get; }

    /// <summary>What was given, in recipe order.</summary>
    public IReadOnlyCollection<RecipeValue> Given => given.Values;

    /// <summary>Whether a key was given (as null, too).</summary>
    public bool Has(string path) => given.ContainsKey(path);

    /// <summary>What was given for a key; null when nothing was.</summary>
    public RecipeValue? Find(string path) => given.GetValueOrDefault(path);

    /// <summary>A text, or null.</summary>
    public string? Text(string path) => (string?)Get(path);

    /// <summary>A flag that has a default.</summary>
    public bool Flag(string path) => (bool)Get(path)!;

    /// <summary>A flag, or null.</summary>
    public bool? FlagOrNull(string path) => (bool?)Get(path);

    /// <summary>A whole number that has a default.</summary>
    public int Integer(string path) => (int)(long)Get(path)!;

    /// <summary>A whole number, or null.</summary>
    public int? IntegerOrNull(string path) => (int?)(long?)Get(path);

    /// <summary>A number that has a default.</summary>
    public double Number(string path) => (double)Get(path)!;

    /// <summary>A number, or null.</summary>
    public double? NumberOrNull(string path) => (double?)Get(path);

    /// <summary>A list of texts, or null.</summary>
    public IReadOnlyList<string>? Texts(string path) => (IReadOnlyList<string>?)Get(path);

    /// <summary>A list of numbers, or null.</summary>
    public IReadOnlyList<double>? Numbers(string path) => (IReadOnlyList<double>?)Get(path);

    /// <summary>Rows or a share of them, or null.</summary>
    public RowCount? Rows(string path) => (RowCount?)Get(path);

    /// <summary>Anything, as JSON, or null.</summary>
    public JsonObject? Json(string path) => (JsonObject?)((JsonNode?)Get(path))?.DeepClone();

    /// <summary>Names to numbers in recipe order, or null.</summary>
    public IReadOnlyList<KeyValuePair<string, double>>? NumberMap(string path) => (IReadOnlyList<KeyValuePair<string, double>>?)Get(path);

    /// <summary>Names to texts in recipe order, or null.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? TextMap(string path) => (IReadOnlyList<KeyValuePair<string, string>>?)Get(path);

    /// <summary>The number of entries in a list of sections.</summary>
    public int Count(string path) => (int?)Find(path)?.Value ?? 0;

    /// <summary>The value that holds, of whatever kind; null when there is none.</summary>
    internal object? Value(string path) => Get(path);

    private object? Get(string path)
    {
        if (given.TryGetValue(path, out var value))
            return value.Value;
        var row = RecipeKeyTable.Find(RecipeReader.TableName(path))
            ?? throw new ArgumentException($"{path} is not in the table of keys.", nameof(path));
        return row.DefaultFor(Task, Profile) is { } text
            ? ValueReader.Read(row, YamlReader.Read(text, row.Name)).Value
            : null;
    }
}
