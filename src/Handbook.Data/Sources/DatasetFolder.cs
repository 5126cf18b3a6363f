using System.Globalization;

namespace Handbook.Data.Sources;

/// <summary>
/// Which files of a dataset make up which split, by the rules of the datasets library: what <c>save_to_disk</c> wrote, what
/// the card's <c>configs</c> say, then the names of folders and files. A split may always be named by its file or folder.
/// </summary>
public sealed class DatasetFolder
{
    private readonly string location;
    private readonly Dictionary<string, List<string>> splits;
    private readonly IReadOnlyList<string> all;

    private DatasetFolder(string location, Dictionary<string, List<string>> splits, IReadOnlyList<string> all) =>
        (this.location, this.splits, this.all) = (location, splits, all);

    /// <summary>Names of the splits found.</summary>
    public IReadOnlyCollection<string> Splits => splits.Keys;

    /// <summary>How its CSV files are laid out, where the card says so.</summary>
    public CsvDialect? Csv { get; private init; }

    /// <summary>What was found and left out, for the user.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

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
        if (SavedDataset.Splits(location) is { } saved)
            return new DatasetFolder(location, saved, [.. saved.Values.SelectMany(files => files)]);
        if (DatasetCard.Configurations(location) is { Count: > 0 } configurations)
            return FromCard(location, config, configurations);
        if (config is not null && config != "default")
        {
            var below = new[] { Path.Combine(location, config), Path.Combine(location, "data", config) }.FirstOrDefault(Directory.Exists);
            return below is not null
                ? Open(below, null)
                : throw new UserErrorException(
                    $"{location}: no configuration {config}: the card names none and there is no folder {config}");
        }
        return FromNames(location, FolderFiles.Of(location));
    }

    /// <summary>The files of a split, in order.</summary>
    /// <exception cref="UserErrorException">There is no such split.</exception>
    public IReadOnlyList<string> Files(string split) => Find(split) is { Count: > 0 } files ? files
        : throw new UserErrorException(
            $"{location}: no split {split}; there is {string.Join(", ", splits.Keys)}.{NearestName.Hint(split, splits.Keys)}");

    /// <summary>True when there is such a split.</summary>
    public bool Has(string split) => Find(split).Count > 0;

    private List<string> Find(string split)
    {
        if (splits.TryGetValue(split, out var files))
            return files;
        return all.Where(path => Stem(path) == split || Path.GetRelativePath(location, path).Split('/', '\\').SkipLast(1).Contains(split))
            .ToList();
    }

    private static DatasetFolder FromCard(string location, string? config, IReadOnlyList<DatasetCard.Configuration> configurations)
    {
        var chosen = Choose(location, config, configurations);
        var folder = Below(location, chosen.Folder, chosen.Name);
        var files = FolderFiles.Of(folder);
        if (chosen.Splits is null)
            return FromNames(folder, files, chosen);
        var splits = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (split, texts) in chosen.Splits)
        {
            var patterns = texts.Select(text => new GlobPattern(text)).ToList();
            for (var i = 0; i < texts.Count; i++)
            {
                if (!patterns[i].HasWildcards && !files.Matching(patterns[i]).Any())
                    throw NoMatch(texts[i]);
            }
            splits[split] = [.. SplitNames.Matching(files, patterns).Select(files.Full)];
            if (splits[split].Count == 0)
                throw NoMatch(string.Join(", ", texts));

            UserErrorException NoMatch(string text) => new(
                $"{folder}: no data file matches {text}, which the card gives for split {split} of "
                + $"{chosen.Name}.{NearestName.Hint(text, files.Paths.Take(1000))}");
        }
        return new DatasetFolder(folder, splits, [.. splits.Values.SelectMany(paths => paths)]) { Csv = chosen.Csv, Notes = chosen.Notes };
    }

    private static DatasetCard.Configuration Choose(
        string location, string? config, IReadOnlyList<DatasetCard.Configuration> configurations)
    {
        var names = configurations.Select(candidate => candidate.Name).ToList();
        if (config is not null)
        {
            return configurations.FirstOrDefault(candidate => candidate.Name == config)
                ?? throw new UserErrorException(
                    $"{location}: no configuration {config}; there is {string.Join(", ", names)}.{NearestName.Hint(config, names)}");
        }
        var defaults = configurations.Count == 1
            ? configurations : configurations.Where(candidate => candidate.IsDefault || candidate.Name == "default").ToList();
        return defaults.Count switch
        {
            1 => defaults[0],
            0 => throw new UserErrorException(
                $"{location}: several configurations and none is the default; name one of {string.Join(", ", names)}"),
            _ => throw new UserErrorException($"{location}: several configurations are the default "
                + $"({string.Join(", ", defaults.Select(each => each.Name))}); name one with dataset_config"),
        };
    }

    /// <summary>A folder of a dataset; a card never leads out of its own.</summary>
    private static string Below(string location, string? folder, string config)
    {
        if (folder is null)
            return location;
        if (Path.IsPathRooted(folder) || folder.Contains('\0', StringComparison.Ordinal) || folder.Split('/', '\\').Contains(".."))
            throw new UserErrorException($"{location}: data_dir of configuration {config} is {folder}; expected a folder of the dataset");
        return Path.Combine(location, folder);
    }

    private static DatasetFolder FromNames(string folder, FolderFiles files, DatasetCard.Configuration? card = null)
    {
        var visible = SplitNames.Matching(files, [new GlobPattern("**")]);
        if (visible.Count == 0)
        {
            var described = files.Paths.Find(GlobPattern.Describes) is { } path ? $" ({path} describes a dataset, a model or a run)" : "";
            throw new UserErrorException($"{folder}: no data file{described}; known endings are {FileFormats.Described}.{files.LinksHint}");
        }
        var splits = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (split, paths) in SplitNames.Find(files))
            splits[split] = [.. FileFormats.OfOneFormat(paths).Select(files.Full)];
        var all = visible.ConvertAll(files.Full);
        var unused = all.Except(splits.Values.SelectMany(paths => paths)).ToList();
        return new DatasetFolder(folder, splits, all)
        {
            Csv = card?.Csv,
            Notes = [.. card?.Notes ?? [], .. unused.Count == 0 ? Array.Empty<string>() : [Unused(folder, unused)]],
        };
    }

    private static string Unused(string folder, List<string> files) => string.Create(CultureInfo.InvariantCulture,
        $"{folder}: {(files.Count == 1 ? "1 data file belongs" : $"{files.Count} data files belong")} to no split and "
            + $"{(files.Count == 1 ? "is" : "are")} left out, "
            + $"{Path.GetRelativePath(folder, files[0])}{(files.Count == 1 ? "" : " for one")}");

    /// <summary>File name without shard number, ending and compression.</summary>
    private static string Stem(string path)
    {
        var name = Path.GetFileName(path);
        return SplitNames.OfShard(name) ?? Path.GetFileNameWithoutExtension(DataFile.WithoutCompression(name));
    }
}
