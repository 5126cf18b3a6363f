namespace Handbook.Data.Sources;

/// <summary>Takes the name as a path, relative to a folder.</summary>
public sealed class LocalDatasetResolver(string folder) : IDatasetResolver
{
    /// <inheritdoc/>
    public string Where => $"the file system ({Path.GetFullPath(folder)})";

    /// <inheritdoc/>
    public string? Nearest(string name)
    {
        var above = Path.GetDirectoryName(name) ?? "";
        var searched = Path.Combine(folder, above);
        if (!Directory.Exists(searched))
            return null;
        return NearestName.Find(Path.GetFileName(name),
                Directory.EnumerateFileSystemEntries(searched).Select(path => Path.GetFileName(path)!)) is { } near
            ? Path.Combine(above, near)
            : null;
    }

    /// <inheritdoc/>
    public string? Find(string name, string? revision)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) || Directory.Exists(path) ? path : null;
    }
}
