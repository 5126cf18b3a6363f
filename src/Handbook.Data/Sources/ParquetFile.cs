namespace Handbook.Data.Sources;

/// <summary>A Parquet file, read by DuckDB out of core; nested lists and structs become JSON.</summary>
public sealed class ParquetFile(string path, SourceOptions options) : IRowFile
{
    private readonly DuckDbTable table = new(path, $"read_parquet({DuckDbTable.Literal(path)})", options);

    /// <inheritdoc/>
    public string Path => path;

    /// <summary>The columns in the file's order.</summary>
    public IReadOnlyList<string> Columns() => DataFile.Guard(path, table.Columns);

    /// <inheritdoc/>
    public long Count() => DataFile.Guard(path, table.Count);

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) => DataFile.Guarded(path, ReadRows(wanted));

    private IEnumerable<SourceRow> ReadRows(Predicate<long>? wanted)
    {
        foreach (var row in table.Read(table.Columns(), wanted))
            yield return row;
    }
}
