using System.Text.RegularExpressions;

namespace Handbook.Data.Sources;

/// <summary>
/// Which files are which split where only their names tell, by the rules of the datasets library, the first that finds any: sharded
/// files in <c>data/</c>, keywords in the names of folders, keywords in the names of files, all as <c>train</c>.
/// </summary>
internal static partial class SplitNames
{
    private const string Separators = "-._ 0-9";

    private static readonly (string Split, string[] Keywords)[] Keywords =
    [
        ("train", ["train", "training"]),
        ("validation", ["validation", "valid", "dev", "val"]),
        ("test", ["test", "testing", "eval", "evaluation"]),
    ];

    private static readonly (string Split, GlobPattern[] Patterns)[] InFolderNames = Patterns(keyword =>
        [$"**/{keyword}/**", $"**/{keyword}[{Separators}]*/**", $"**/*[{Separators}]{keyword}/**",
            $"**/*[{Separators}]{keyword}[{Separators}]*/**"]);

    private static readonly (string Split, GlobPattern[] Patterns)[] InFileNames = Patterns(keyword =>
        [$"**/{keyword}[{Separators}]*", $"**/*[{Separators}]{keyword}[{Separators}]*"]);

    private static readonly (string Split, GlobPattern[] Patterns)[] All = [("train", [new GlobPattern("**")])];

    /// <summary>The splits of a folder, each with its files in order; a file may be in several.</summary>
    public static List<(string Split, List<string> Files)> Find(FolderFiles folder)
    {
        if (Sharded(folder) is { Count: > 0 } sharded)
            return sharded;
        foreach (var table in new[] { InFolderNames, InFileNames, All })
        {
            var splits = table.Select(row => (row.Split, Files: Matching(folder, row.Patterns))).Where(split => split.Files.Count > 0)
                .ToList();
            if (splits.Count > 0)
                return splits;
        }
        return [];
    }

    /// <summary>The files that patterns mean, pattern by pattern, each once.</summary>
    public static List<string> Matching(FolderFiles folder, IEnumerable<GlobPattern> patterns) =>
    [
        .. patterns.SelectMany(folder.Matching).Distinct(),
    ];

    /// <summary>The split in the name of a sharded file (<c>train-00000-of-00002.parquet</c>), or null.</summary>
    public static string? OfShard(string fileName) =>
        Shard().Match(fileName) is { Success: true } match ? match.Groups["split"].Value : null;

    private static List<(string, List<string>)> Sharded(FolderFiles folder)
    {
        var order = Keywords.Select(row => row.Split).ToList();
        return [.. folder.Matching(new GlobPattern("data/*"))
            .Select(path => (Split: OfShard(path["data/".Length..]), Path: path))
            .Where(file => file.Split is not null)
            .GroupBy(file => file.Split!, file => file.Path)
            .OrderBy(split => order.Contains(split.Key) ? order.IndexOf(split.Key) : order.Count)
            .ThenBy(split => split.Key, StringComparer.Ordinal)
            .Select(split => (split.Key, split.ToList()))];
    }

    private static (string, GlobPattern[])[] Patterns(Func<string, string[]> ofKeyword) =>
        [.. Keywords.Select(row => (row.Split, row.Keywords.SelectMany(ofKeyword).Select(pattern => new GlobPattern(pattern)).ToArray()))];

    [GeneratedRegex(@"^(?<split>\w+([.-]\w+)*)-[0-9]{5}-of-[0-9]{5,}.*\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Shard();
}
