using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Data.Sources;
using Handbook.Recipes.Yaml;
using Handbook.Sampling.Constitutional;
using Handbook.Training.Options;

namespace Handbook.Recipes;

/// <summary>A recipe of <c>handbook constitution</c> that was read without a problem.</summary>
/// <param name="Checked">Its values.</param>
/// <param name="Options">What the run is told.</param>
public sealed record ConstitutionRecipe(CheckedRecipe Checked, ConstitutionOptions Options)
{
    /// <summary>Reads a recipe of Constitutional AI, and the principles that it names.</summary>
    /// <exception cref="UserErrorException">Something is wrong: all problems, one a line.</exception>
    public static ConstitutionRecipe Read(RecipeSource source)
    {
        var recipe = RecipeReader.Check(source, TrainingTask.Constitution);
        var values = recipe.Values;
        var prompts = GenerationBinder.Prompts(values);
        return new ConstitutionRecipe(recipe, new ConstitutionOptions
        {
            Policy = GenerationBinder.Policy(recipe),
            Prompts = prompts,
            TestDataset = new DatasetRequest(prompts.Dataset.Name, prompts.Dataset.Config, values.Text("dataset_test_split")!),
            Settings = GenerationBinder.Settings(values),
            Constitution = ReadConstitution(values.Text("constitution")!),
            RevisionRounds = values.Integer("revision_rounds"),
            SftShare = values.Number("sft_share"),
            OutputDirectory = values.Text("output_dir")!,
            Seed = values.Integer("seed"),
            PromptsPerBlock = values.Integer("prompts_per_save"),
        });
    }

    private static Constitution ReadConstitution(string file)
    {
        if (!File.Exists(file))
            throw new UserErrorException($"constitution: {file}: no such file; expected principles, as JSON or YAML.");
        return Constitution.Parse(file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? ReadJson(file) : YamlReader.ReadFile(file).ToJson(), file);
    }

    private static JsonNode? ReadJson(string file)
    {
        try
        {
            return JsonNode.Parse(OrdinaryFile.ReadBytes(file));
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{file}: {PlaceholderFile.Explain(file) ?? $"is not valid JSON: {BrokenJson.Explain(error)}."}", error);
        }
    }
}
