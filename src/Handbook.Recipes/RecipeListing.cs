using System.Text.Json.Nodes;
using Handbook.Recipes.Keys;
using Handbook.Recipes.Yaml;

namespace Handbook.Recipes;

/// <summary>A recipe with everything that holds in it, and a key with everything that is known of it, as text.</summary>
public static class RecipeListing
{
    /// <summary>Lines of YAML: what is given, with where, then the defaults that hold beside it. Reads back as the same run.</summary>
    public static IEnumerable<string> Show(CheckedRecipe recipe, bool withDefaults)
    {
        var tree = (JsonObject)recipe.Source.Tree.ToJson()!;
        foreach (var (key, node) in recipe.Source.Tree.Entries)
            yield return $"{Pair(YamlMapping.KeyText(key), tree[YamlMapping.KeyText(key)])}  # {recipe.Source.At(node.Position)}";
        if (!withDefaults)
            yield break;
        var (task, profile) = (recipe.Task, recipe.Profile);
        yield return "# defaults";
        foreach (var row in RecipeKeyTable.Rows.Where(row => row.Verb == KeyVerb.Honour && row.Section.Length == 0
            && row.Tasks.Includes(task)))
        {
            if (!recipe.Values.Has(row.Name) && (row.OnlyWith is null || recipe.Values.Has(row.OnlyWith))
                && row.DefaultFor(task, profile) is { } value)
                yield return Pair(row.Name, YamlReader.Read(value, row.Name).ToJson());
        }
    }

    /// <summary>What is known of a key.</summary>
    /// <param name="name">Its name, with its section: <c>lr_scheduler_kwargs.min_lr_rate</c>.</param>
    /// <exception cref="UserErrorException">There is no such key; the nearest is named.</exception>
    public static IEnumerable<string> Explain(string name)
    {
        var row = RecipeKeyTable.Find(name) ?? throw new UserErrorException(
            $"{name} is not a key of a recipe.{NearestName.Hint(name, RecipeKeyTable.Rows.Select(row => row.Name))}");
        return Describe(row);
    }

    private static IEnumerable<string> Describe(RecipeKey row)
    {
        yield return row.Name;
        yield return "  " + row.Doc;
        if (row.Verb == KeyVerb.Reject)
            yield break;
        yield return "  value     " + row.Expectation();
        if (row.Target is not null)
            yield return "  see       handbook recipe explain " + row.Target;
        if (row.Defaults.Count > 0)
            yield return "  default   " + string.Join("; ", row.Defaults.Select(Default));
        else if (row.Verb == KeyVerb.Honour)
            yield return row.IsRequired ? "  default   none: it must be given" : "  default   none: it may be left out";
        if (!IsAll(row.Tasks))
            yield return "  commands  " + row.Tasks.Describe();
        yield return "  from      " + row.Origin switch
        {
            KeyOrigin.H4 => "the Alignment Handbook's scripts",
            KeyOrigin.Trl => "TRL",
            KeyOrigin.Hf => "transformers' TrainingArguments",
            _ => "handbook",
        };
    }

    private static string Default(KeyDefault entry)
    {
        var profile = entry.Profile is { } only ? "profile " + only.RecipeName() : null;
        string?[] where = [entry.Tasks is { } some && !IsAll(some) ? some.Describe() : null, profile];
        var words = string.Join(", ", where.Where(word => word is not null));
        return words.Length == 0 ? entry.Value : $"{entry.Value} ({words})";
    }

    private static bool IsAll(TaskSet tasks) => tasks == TaskSet.Training || tasks == TaskSet.Everything;

    private static string Pair(string key, JsonNode? value) => $"{key}: {YamlText.Write(value)}";
}
