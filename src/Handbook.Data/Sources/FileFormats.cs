namespace Handbook.Data.Sources;

/// <summary>The file formats that are read, by ending.</summary>
public static class FileFormats
{
    private static readonly (string Ending, Func<string, SourceOptions, IRowFile> Open, bool Compressible)[] Formats =
    [
        (".jsonl", (path, options) => new JsonLinesFile(path, options), true),
        (".ndjson", (path, options) => new JsonLinesFile(path, options), true),
        (".json", (path, options) => new JsonDocumentFile(path, options), true),
        (".csv", (path, options) => new CsvFile(path, options), true),
        (".tsv", (path, options) => new CsvFile(path, options), true),
        (".txt", (path, options) => new TextRowFile(path, options), true),
        (".text", (path, options) => new TextRowFile(path, options), true),
        (".parquet", (path, options) => new ParquetFile(path, options), false),
        (".arrow", (path, options) => new ArrowRowFile(path, options), false),
    ];

    /// <summary>The endings, with <c>.gz</c> and <c>.zst</c> allowed after those of text formats.</summary>
    public static string Described { get; } = string.Join(", ", Formats.Select(format => format.Ending)) + "; text formats also with .gz or .zst";

    /// <summary>True when a file's ending is one of a format that is read.</summary>
    public static bool IsKnown(string path) => Find(path) is not null;

    /// <summary>True for columnar files, whose structs have every member in every row: a null in one may stand for nothing at all.</summary>
    public static bool FillsNulls(string path) =>
        path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".arrow", StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens a file by its ending.</summary>
    /// <exception cref="UserErrorException">The ending is unknown.</exception>
    public static IRowFile Open(string path, SourceOptions options) =>
        Find(path) is { } open ? open(path, options)
        : throw new UserErrorException($"{path}: no data format has this ending; known are {Described}");

    private static Func<string, SourceOptions, IRowFile>? Find(string path)
    {
        var plain = DataFile.WithoutCompression(path);
        foreach (var (ending, open, compressible) in Formats)
        {
            if (plain.EndsWith(ending, StringComparison.OrdinalIgnoreCase) && (compressible || plain.Length == path.Length))
                return open;
        }
        return null;
    }
}
