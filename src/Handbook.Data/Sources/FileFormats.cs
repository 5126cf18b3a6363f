namespace Handbook.Data.Sources;

/// <summary>The file formats that are read, by ending.</summary>
public static class FileFormats
{
    private const string Json = "json", Csv = "csv", Text = "text";

    private static readonly Format[] Formats =
    [
        new(".jsonl", Json, (path, options) => new JsonFile(path, options), true),
        new(".ndjson", Json, (path, options) => new JsonFile(path, options), true),
        new(".json", Json, (path, options) => new JsonFile(path, options), true),
        new(".csv", Csv, (path, options) => new CsvFile(path, options), true),
        new(".tsv", Csv, (path, options) => new CsvFile(path, options), true),
        new(".txt", Text, (path, options) => new TextRowFile(path, options), true),
        new(".text", Text, (path, options) => new TextRowFile(path, options), true),
        new(".parquet", "parquet", (path, options) => new ParquetFile(path, options), false),
        new(".arrow", "arrow", (path, options) => new ArrowRowFile(path, options), false),
    ];

    /// <summary>The endings, with <c>.gz</c> and <c>.zst</c> allowed after those of text formats.</summary>
    public static string Described { get; } = string.Join(", ", Formats.Select(format => format.Ending))
        + "; text formats also with .gz or .zst";

    /// <summary>True when a file's ending is one of a format that is read.</summary>
    public static bool IsKnown(string path) => Find(path) is not null;

    /// <summary>
    /// True for columnar files, whose structs have every member in every row: a null in one may stand for nothing at all.
    /// </summary>
    public static bool FillsNulls(string path) =>
        path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".arrow", StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens a file by its ending.</summary>
    /// <exception cref="UserErrorException">The ending is unknown, or the file only stands for another one.</exception>
    public static IRowFile Open(string path, SourceOptions options) =>
        Find(path) is not { } format ? throw new UserErrorException($"{path}: no data format has this ending; known are {Described}")
        : PlaceholderFile.ExplainPointer(path) is { } pointer ? throw new UserErrorException($"{path}: {pointer}")
        : format.Open(path, options);

    /// <summary>
    /// The files of one format: of the ending that most have; where several have as many, of the one that holds rows best. Files
    /// of different formats in one folder are not one dataset, endings of one format (<c>.json</c>, <c>.jsonl</c>) are.
    /// </summary>
    internal static List<string> OfOneFormat(IReadOnlyCollection<string> files)
    {
        if (files.Count == 0)
            return [];
        var format = files.GroupBy(path => Find(path)!.Ending).MaxBy(group => (group.Count(), Preference(group.Key)))!.Key;
        var builder = Formats.First(candidate => candidate.Ending == format).Builder;
        return [.. files.Where(path => Find(path)!.Builder == builder)];
    }

    private static int Preference(string ending) => Array.IndexOf([".txt", ".csv", ".json", ".jsonl", ".arrow", ".parquet"], ending);

    private static Format? Find(string path)
    {
        var plain = DataFile.WithoutCompression(path);
        return Array.Find(Formats, format =>
            plain.EndsWith(format.Ending, StringComparison.OrdinalIgnoreCase) && (format.IsCompressible || plain.Length == path.Length));
    }

    /// <param name="Ending">With its dot.</param>
    /// <param name="Builder">The part of the datasets library that reads such files.</param>
    /// <param name="Open">Makes the reader.</param>
    /// <param name="IsCompressible">Whether <c>.gz</c> or <c>.zst</c> may follow.</param>
    private sealed record Format(string Ending, string Builder, Func<string, SourceOptions, IRowFile> Open, bool IsCompressible);
}
