using Handbook.Recipes.Yaml;
using Handbook.Training.Options;

namespace Handbook.Recipes.Tests;

/// <summary>Recipes written into tests.</summary>
internal static class Recipes
{
    /// <summary>What every recipe needs, on its first three lines.</summary>
    public const string Least = "model_name_or_path: m\ndataset_name: d.jsonl\noutput_dir: out\n";

    public static Recipe Read(string more, string task = "sft", params (string Key, string Value)[] overrides) =>
        ReadWhole(Least + more, task, overrides);

    /// <summary>A recipe of any command, with what that command needs behind what is tested.</summary>
    public static CheckedRecipe Check(string more, string task) => InFile(Least + more + task switch
    {
        "sample" when !more.StartsWith("reward_funcs", StringComparison.Ordinal) => "reward_funcs: words\n",
        "constitution" when !more.StartsWith("constitution", StringComparison.Ordinal) => "constitution: c.json\n",
        _ => "",
    }, [], source => RecipeReader.Check(source, task));

    public static Recipe ReadWhole(string yaml, string task = "sft", params (string Key, string Value)[] overrides) =>
        InFile(yaml, overrides, source => RecipeReader.Read(source, task));

    private static T InFile<T>(string yaml, (string Key, string Value)[] overrides, Func<RecipeSource, T> read)
    {
        var folder = Directory.CreateTempSubdirectory("recipes");
        try
        {
            var file = Path.Combine(folder.FullName, "r.yaml");
            File.WriteAllText(file, yaml);
            return read(RecipeSource.Load([file, .. overrides.Select(pair => $"--{pair.Key}={pair.Value}")]) with { File = "r.yaml" });
        }
        finally { folder.Delete(recursive: true); }
    }

    /// <summary>The lines of the complaint about a recipe.</summary>
    public static string[] Problems(string more, string task = "sft", params (string Key, string Value)[] overrides) =>
        Assert.Throws<UserErrorException>(() => Read(more, task, overrides)).Message.Split('\n');

    /// <summary>The lines of the complaint about a recipe of any command.</summary>
    public static string[] CheckProblems(string more, string task) =>
        Assert.Throws<UserErrorException>(() => Check(more, task)).Message.Split('\n');

    public static string[] ProblemsWhole(string yaml, string task = "sft") =>
        Assert.Throws<UserErrorException>(() => RecipeReader.Read(new RecipeSource("r.yaml", (YamlMapping)YamlReader.Read(yaml, "r.yaml")),
            task)).Message.Split('\n');
}
