using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Handbook.Models.Configuration;

/// <summary>JSON files of a model folder, read with one clear line for what is wrong and written as transformers lays them out.</summary>
public static class ConfigFile
{
    /// <summary>Name of the model's configuration.</summary>
    public const string Name = "config.json";

    /// <summary>Name of the defaults for generation.</summary>
    public const string GenerationName = "generation_config.json";

    /// <summary>
    /// Whether something bears a name: a file, or what reading it then refuses in words, such as a link that leads nowhere.
    /// </summary>
    public static bool IsThere(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>Reads a JSON object.</summary>
    /// <exception cref="UserErrorException">Missing, or no JSON object.</exception>
    public static JsonObject Read(string path)
    {
        try
        {
            var options = new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false };
            var json = JsonNode.Parse(OrdinaryFile.ReadBytes(path), documentOptions: options) as JsonObject
                ?? throw new UserErrorException($"{path}: a JSON object is expected.");
            // Texts are decoded when they are asked for, which for some is when the trained model is written.
            json.ToJsonString();
            return json;
        }
        catch (InvalidOperationException error)
        {
            throw new UserErrorException($"{path}: holds a text that is no valid Unicode (half a surrogate pair).", error);
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{path}: {PlaceholderFile.Explain(path) ?? $"is not valid JSON: {BrokenJson.Explain(error)}."}",
                error);
        }
    }

    /// <summary>Writes a JSON object: keys sorted, two spaces, a line feed at the end.</summary>
    public static void Write(string path, JsonObject json)
    {
        var sorted = new JsonObject();
        foreach (var (key, node) in json.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            sorted.Add(key, node?.DeepClone());
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer,
            new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            sorted.WriteTo(writer);
        AtomicFile.WriteText(path, Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
    }
}
