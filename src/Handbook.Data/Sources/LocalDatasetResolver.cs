namespace Handbook.Data.Sources;

/// <summary>Takes the name as a path, relative to a folder.</summary>
public sealed class LocalDatasetResolver(string folder) : IDatasetResolver
{
    /// <inheritdoc/>
    public string Where => $"the file system ({Path.GetFullPath(folder)})";

    /// <inheritdoc/>
    public IEnumerable<string> Names =>
        Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)!) : [];

    /// <inheritdoc/>
    public string? Find(string name, string? revision)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) || Directory.Exists(path) ? path : null;
    }
}
