using System.Text.Json;
using Handbook.Recipes.Yaml;
using Handbook.TestSupport;
using Handbook.Training.Options;

namespace Handbook.Recipes.Tests;

[Trait("Category", "Golden")]
public class GoldenRecipeTests
{
    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var file in SharedFolders.GoldenFiles("recipes", "*.json").Where(file => Path.GetFileName(file) != "index.json"))
            Add(cases, Path.GetFileNameWithoutExtension(file), File.ReadAllText(file));
        foreach (var file in SharedFolders.GoldenFiles("recipes", "*.jsonl"))
        {
            foreach (var (index, line) in File.ReadLines(file).Index())
                Add(cases, $"{Path.GetFileNameWithoutExtension(file)}:{index + 1}", line);
        }
        return cases;
    }

    // Launcher configurations and empty files lie among the recipes; neither is one.
    private static void Add(TheoryData<string, string> cases, string name, string json)
    {
        using var document = JsonDocument.Parse(json);
        var value = document.RootElement.GetProperty("value");
        if (value.ValueKind == JsonValueKind.Object && !value.TryGetProperty("compute_environment", out _))
            cases.Add(name, json);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Read_RecipeOfTheOriginal_GivesItsValues(string name, string json)
    {
        using var document = JsonDocument.Parse(json);
        var source = Source(document.RootElement);
        string[] tasks = RecipeReader.FindTask(source) is { } task ? [task] : ["sft", "cpt", "dpo"];
        var recipe = tasks.Select(task => Try(source, task)).FirstOrDefault(read => read is not null)
            ?? RecipeReader.Read(source, tasks[0]);

        var value = document.RootElement.GetProperty("value");
        Assert.Equal(value.GetProperty("output_dir").GetString(), recipe.Options.Checkpoints.OutputDirectory);
        if (value.TryGetProperty("learning_rate", out var rate))
            Assert.Equal(rate.GetDouble(), recipe.Options.Optimization.LearningRate);
        if (value.TryGetProperty("beta", out var beta))
            Assert.Equal(beta.GetDouble(), recipe.Options.Preference.Beta);
        var sources = value.TryGetProperty("dataset_mixture", out var mixture)
            ? mixture.GetProperty("datasets").EnumerateArray().Select(entry => entry.GetProperty("id").GetString()!)
            : value.TryGetProperty("dataset_mixer", out var mixer) ? mixer.EnumerateObject().Select(entry => entry.Name)
            : [value.GetProperty("dataset_name").GetString()!];
        Assert.Equal(sources.Distinct(), recipe.Options.Data.Sources.Select(entry => entry.Name).Distinct());
        Assert.NotEmpty(name);
    }

    private static RecipeSource Source(JsonElement record) =>
        new(record.GetProperty("recipe").GetString(), (YamlMapping)JsonYaml.From(record.GetProperty("value")));

    private static Recipe? Try(RecipeSource source, string task)
    {
        try { return RecipeReader.Read(source, task); }
        catch (UserErrorException) { return null; }
    }
}
