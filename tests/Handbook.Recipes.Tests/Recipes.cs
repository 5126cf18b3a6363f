using Handbook.Recipes.Yaml;
using Handbook.Training.Options;

namespace Handbook.Recipes.Tests;

/// <summary>Recipes written into tests.</summary>
internal static class Recipes
{
    /// <summary>What every recipe needs, on its first three lines.</summary>
    public const string Least = "model_name_or_path: m\ndataset_name: d.jsonl\noutput_dir: out\n";

    public static Recipe Read(string more, TrainingTask task = TrainingTask.Sft, params (string Key, string Value)[] overrides) => ReadWhole(Least + more, task, overrides);

    public static Recipe ReadWhole(string yaml, TrainingTask task = TrainingTask.Sft, params (string Key, string Value)[] overrides)
    {
        var folder = Directory.CreateTempSubdirectory("recipes");
        try
        {
            var file = Path.Combine(folder.FullName, "r.yaml");
            File.WriteAllText(file, yaml);
            return RecipeReader.Read(RecipeSource.Load([file, .. overrides.Select(pair => $"--{pair.Key}={pair.Value}")]) with { File = "r.yaml" }, task);
        }
        finally { folder.Delete(recursive: true); }
    }

    /// <summary>The lines of the complaint about a recipe.</summary>
    public static string[] Problems(string more, TrainingTask task = TrainingTask.Sft, params (string Key, string Value)[] overrides) =>
        Assert.Throws<UserErrorException>(() => Read(more, task, overrides)).Message.Split('\n');

    public static string[] ProblemsWhole(string yaml, TrainingTask task = TrainingTask.Sft) =>
        Assert.Throws<UserErrorException>(() => RecipeReader.Read(new RecipeSource("r.yaml", (YamlMapping)YamlReader.Read(yaml, "r.yaml")), task)).Message.Split('\n');
}
