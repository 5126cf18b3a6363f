using System.Runtime.InteropServices;
using System.Text.Json;

namespace Handbook.Data.Sources;

/// <summary>A folder that the datasets library wrote with <c>save_to_disk</c>: <c>state.json</c> names its Arrow files.</summary>
internal static class SavedDataset
{
    /// <summary>The splits and their files; null when the folder is no such one.</summary>
    /// <exception cref="UserErrorException">One of its files of settings is missing or broken.</exception>
    public static Dictionary<string, List<string>>? Splits(string folder)
    {
        var dictionary = Path.Combine(folder, "dataset_dict.json");
        if (!File.Exists(dictionary))
            return File.Exists(Path.Combine(folder, "state.json")) ? new() { ["train"] = StateFiles(folder) } : null;
        var splits = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var name in Read(dictionary, "splits", "list the splits", item => item))
            splits[name] = StateFiles(Path.Combine(folder, Path.GetFileName(name)));
        return splits;
    }

    private static List<string> StateFiles(string folder) =>
        [.. Read(Path.Combine(folder, "state.json"), "_data_files", "list the .arrow files, each with its filename",
            item => item.ValueKind == JsonValueKind.Object && item.TryGetProperty("filename", out var name) ? name : default)
            .Select(name => Path.Combine(folder, Path.GetFileName(name)))];

    private static List<string> Read(string path, string key, string expected, Func<JsonElement, JsonElement> name)
    {
        using var json = Parse(path);
        if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(key, out var list)
            && list.ValueKind == JsonValueKind.Array)
        {
            var names = list.EnumerateArray().Select(name).ToList();
            if (names.TrueForAll(IsName))
                return [.. names.Select(item => item.GetString()!)];
        }
        throw new UserErrorException($"{path}: key {key} must {expected}");
    }

    private static bool IsName(JsonElement value) => value.ValueKind == JsonValueKind.String
        && HalfSurrogates.Find(JsonMarshal.GetRawUtf8Value(value)) is null && value.GetString() is { Length: > 0 } and not ("." or "..");

    private static JsonDocument Parse(string path)
    {
        try
        {
            return JsonDocument.Parse(OrdinaryFile.ReadBytes(path));
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"{path}: {PlaceholderFile.Explain(path) ?? $"is not valid JSON: {BrokenJson.Explain(e)}."}", e);
        }
    }
}
