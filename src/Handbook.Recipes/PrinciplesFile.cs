using System.Text.Json;
using System.Text.Json.Nodes;
using Handbook.Recipes.Yaml;
using Handbook.Sampling.Constitutional;

namespace Handbook.Recipes;

/// <summary>The file of principles that a recipe names.</summary>
internal static class PrinciplesFile
{
    public static Constitution Read(string file)
    {
        if (!File.Exists(file))
            throw new UserErrorException($"constitution: {file}: no such file; expected principles, as JSON or YAML.");
        return Constitution.Parse(
            file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? ReadJson(file) : YamlReader.ReadFile(file).ToJson(), file);
    }

    private static JsonNode? ReadJson(string file)
    {
        try
        {
            return JsonNode.Parse(OrdinaryFile.ReadBytes(file));
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{file}: {PlaceholderFile.Explain(file) ?? $"is not valid JSON: {BrokenJson.Explain(error)}."}",
                error);
        }
    }
}
