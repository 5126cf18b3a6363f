using System.IO.Enumeration;

namespace Handbook.Data.Sources;

/// <summary>The data files of a folder and those below it, by their paths from the folder with forward slashes, in order.</summary>
/// <remarks>As the datasets library does, links to files are followed and links to folders are not: they may lead back.</remarks>
internal sealed class FolderFiles
{
    private readonly string folder;
    // Logs of runs: under such a name there may be data elsewhere.
    private static readonly string[] LogNames = ["metrics.jsonl", "metrics.csv"];

    private readonly List<string> skippedLinks = [];
    private HashSet<string> logs = [];

    private FolderFiles(string folder) => (this.folder, Paths) = (folder, []);

    /// <summary>The paths of files whose ending is known, hidden ones too.</summary>
    public List<string> Paths { get; private set; }

    /// <summary>Looks through a folder.</summary>
    /// <exception cref="UserErrorException">There is no such folder, or it cannot be looked through.</exception>
    public static FolderFiles Of(string folder)
    {
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{folder}: no such folder");
        var files = new FolderFiles(folder);
        files.Paths = DataFile.Guard(folder, files.Walk().Where(FileFormats.IsKnown).Order(StringComparer.Ordinal).ToList);
        files.logs = files.FindLogs();
        return files;
    }

    /// <summary>The full path of one of the files.</summary>
    public string Full(string path) => Path.Combine(folder, path);

    /// <summary>The files that a pattern means, in order.</summary>
    public IEnumerable<string> Matching(GlobPattern pattern) =>
        Paths.Where(path => pattern.Matches(path) && (!pattern.HasWildcards || !logs.Contains(path)));

    /// <summary>What to say of links that lead to folders, when nothing was found.</summary>
    public string LinksHint =>
        skippedLinks.Count == 0 ? "" : $" Links to folders are not followed ({string.Join(", ", skippedLinks.Take(3))}).";

    private HashSet<string> FindLogs()
    {
        var runs = Paths.Where(path => Path.GetFileName(path) is GlobPattern.TrainerState or GlobPattern.RunIdentity)
            .Select(Path.GetDirectoryName).ToHashSet();
        return [.. Paths.Where(path => LogNames.Contains(Path.GetFileName(path)) && runs.Contains(Path.GetDirectoryName(path)))];
    }

    private FileSystemEnumerable<string> Walk() => new(
        folder,
        (ref FileSystemEntry entry) => Path.GetRelativePath(folder, entry.ToFullPath()).Replace('\\', '/'),
        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = true })
    {
        ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
        ShouldRecursePredicate = (ref FileSystemEntry entry) =>
        {
            if ((entry.Attributes & FileAttributes.ReparsePoint) == 0)
                return true;
            skippedLinks.Add(Path.GetRelativePath(folder, entry.ToFullPath()));
            return false;
        },
    };
}
