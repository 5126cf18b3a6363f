using System.Text.Json;
using System.Text.RegularExpressions;

namespace Handbook.Data.Sources;

/// <summary>
/// Which files of a dataset make up which split, by the rules of the datasets library: what <c>save_to_disk</c> wrote, what
/// the card's <c>configs</c> say, sharded names (<c>train-00000-of-00002</c>), then keywords in file and folder names, then
/// everything as <c>train</c>. A split may always be named by its file or folder.
/// </summary>
public sealed partial class DatasetFolder
{
    private static readonly (string Split, string[] Keywords)[] Keywords =
    [
        ("train", ["train", "training"]),
        ("validation", ["validation", "valid", "dev", "val"]),
        ("test", ["test", "testing", "eval", "evaluation"]),
    ];

    private readonly string location;
    private readonly Dictionary<string, List<string>> splits;
    private readonly List<string> all;

    private DatasetFolder(string location, Dictionary<string, List<string>> splits, List<string> all) =>
        (this.location, this.splits, this.all) = (location, splits, all);

    /// <summary>Names of the splits found.</summary>
    public IReadOnlyCollection<string> Splits => splits.Keys;

    /// <summary>Looks at a file or folder.</summary>
    /// <exception cref="UserErrorException">There is no such configuration, or nothing that could be read.</exception>
    public static DatasetFolder Open(string location, string? config)
    {
        if (File.Exists(location))
        {
            return config is null
                ? new DatasetFolder(location, new() { ["train"] = [location] }, [location])
                : throw new UserErrorException($"{location}: a single file has no configuration {config}");
        }
        if (SavedToDisk(location) is { } saved)
            return new DatasetFolder(location, saved, [.. saved.Values.SelectMany(files => files)]);
        if (DatasetCard.Configurations(location) is { Count: > 0 } configurations)
            return FromCard(location, config, configurations);
        if (config is not null && config != "default")
        {
            var below = new[] { Path.Combine(location, config), Path.Combine(location, "data", config) }.FirstOrDefault(Directory.Exists);
            return below is not null
                ? Open(below, null)
                : throw new UserErrorException($"{location}: no configuration {config}: the card names none and there is no folder {config}");
        }
        return Infer(location);
    }

    /// <summary>The files of a split, in order.</summary>
    /// <exception cref="UserErrorException">There is no such split.</exception>
    public IReadOnlyList<string> Files(string split) => Find(split) is { Count: > 0 } files ? files
        : throw new UserErrorException($"{location}: no split {split}; there is {string.Join(", ", splits.Keys)}.{NearestName.Hint(split, splits.Keys)}");

    /// <summary>True when there is such a split.</summary>
    public bool Has(string split) => Find(split).Count > 0;

    private List<string> Find(string split)
    {
        if (splits.TryGetValue(split, out var files))
            return files;
        return all.Where(path => Stem(path) == split || Path.GetRelativePath(location, path).Split('/', '\\').SkipLast(1).Contains(split)).ToList();
    }

    private static Dictionary<string, List<string>>? SavedToDisk(string folder)
    {
        var dictionary = Path.Combine(folder, "dataset_dict.json");
        if (!File.Exists(dictionary))
            return File.Exists(Path.Combine(folder, "state.json")) ? new() { ["train"] = StateFiles(folder) } : null;
        var splits = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        using var json = Parse(dictionary);
        if (!json.RootElement.TryGetProperty("splits", out var names) || names.ValueKind != JsonValueKind.Array)
            throw new UserErrorException($"{dictionary}: key splits must list the splits");
        foreach (var name in names.EnumerateArray())
            splits[name.ToString()] = StateFiles(Path.Combine(folder, Path.GetFileName(name.ToString())));
        return splits;
    }

    private static List<string> StateFiles(string folder)
    {
        var state = Path.Combine(folder, "state.json");
        if (!File.Exists(state))
            throw new UserErrorException($"{state}: missing; save_to_disk writes it beside the .arrow files");
        using var json = Parse(state);
        if (!json.RootElement.TryGetProperty("_data_files", out var files) || files.ValueKind != JsonValueKind.Array)
            throw new UserErrorException($"{state}: key _data_files must list the .arrow files");
        return [.. files.EnumerateArray().Select(file => Path.Combine(folder, Path.GetFileName(file.GetProperty("filename").ToString())))];
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path));
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"{path}: not valid JSON: {e.Message}", e);
        }
    }

    private static DatasetFolder FromCard(string location, string? config, IReadOnlyList<DatasetCard.Configuration> configurations)
    {
        var chosen = config is not null ? configurations.FirstOrDefault(c => c.Name == config)
            : configurations.Count == 1 ? configurations[0]
            : configurations.FirstOrDefault(c => c.IsDefault) ?? configurations.FirstOrDefault(c => c.Name == "default");
        if (chosen is null)
        {
            var names = configurations.Select(c => c.Name).ToList();
            throw new UserErrorException(config is null
                ? $"{location}: several configurations and none is the default; name one of {string.Join(", ", names)}"
                : $"{location}: no configuration {config}; there is {string.Join(", ", names)}.{NearestName.Hint(config, names)}");
        }
        if (chosen.Patterns.Count == 0)
            return Infer(chosen.Folder is null ? location : Path.Combine(location, chosen.Folder));
        var all = DataFiles(location);
        var splits = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (split, pattern) in chosen.Patterns)
        {
            var matching = all.Where(path => GlobPattern.Matches(pattern, Path.GetRelativePath(location, path).Replace('\\', '/'))).ToList();
            if (matching.Count == 0)
                throw new UserErrorException($"{location}: no file matches {pattern}, which the card gives for split {split} of {chosen.Name}");
            if (!splits.TryAdd(split, matching))
                splits[split].AddRange(matching);
        }
        return new DatasetFolder(location, splits, [.. splits.Values.SelectMany(files => files)]);
    }

    private static DatasetFolder Infer(string location)
    {
        var all = DataFiles(location);
        if (all.Count == 0)
            throw new UserErrorException($"{location}: no data file; known endings are {FileFormats.Described}");
        // Rows of different formats are not one dataset: the format of most files counts.
        var format = all.GroupBy(Format, StringComparer.Ordinal).OrderByDescending(group => group.Count()).First().Key;
        var files = all.Where(path => Format(path) == format).ToList();
        var splits = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var file in files.Where(path => Sharded().IsMatch(Path.GetFileName(path))))
            Add(Sharded().Match(Path.GetFileName(file)).Groups["split"].Value, file);
        if (splits.Count == 0)
            AddByKeyword(path => Path.GetFileName(path));
        if (splits.Count == 0)
            AddByKeyword(path => Path.GetDirectoryName(Path.GetRelativePath(location, path))!);
        if (splits.Count == 0)
            splits["train"] = files;
        return new DatasetFolder(location, splits, all);

        void Add(string split, string file)
        {
            if (!splits.TryGetValue(split, out var list))
                splits[split] = list = [];
            list.Add(file);
        }

        void AddByKeyword(Func<string, string> name)
        {
            foreach (var (split, keywords) in Keywords)
            {
                foreach (var file in files.Where(path => keywords.Any(keyword => HasWord(name(path), keyword))))
                    Add(split, file);
            }
        }
    }

    private static bool HasWord(string name, string word) =>
        Regex.IsMatch(name, $@"(^|[-._ 0-9/\\]){word}([-._ 0-9/\\]|$)", RegexOptions.CultureInvariant);

    private static string Format(string path) => Path.GetExtension(DataFile.WithoutCompression(path)).ToUpperInvariant();

    /// <summary>File name without shard number, ending and compression.</summary>
    private static string Stem(string path)
    {
        var name = Path.GetFileName(path);
        return Sharded().Match(name) is { Success: true } match
            ? match.Groups["split"].Value
            : Path.GetFileNameWithoutExtension(DataFile.WithoutCompression(name));
    }

    private static List<string> DataFiles(string folder)
    {
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{folder}: no such folder");
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => FileFormats.IsKnown(path) && !Path.GetRelativePath(folder, path).Split('/', '\\').Any(part => part[0] is '.' or '_'))
            .Where(path => Path.GetFileName(path) is not ("dataset_infos.json" or "dataset_info.json" or "state.json" or "requirements.txt" or "LICENSE.txt"))
            .ToList();
        files.Sort(StringComparer.Ordinal);
        return files;
    }

    [GeneratedRegex(@"^(?<split>\w+([.-]\w+)*)-\d{5}-of-\d{5,}\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Sharded();
}
