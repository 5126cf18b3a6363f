using DuckDB.NET.Data;

namespace Handbook.Data.Sources;

/// <summary>
/// CSV or TSV with a heading (RFC 4180: quoted fields may hold separators, quotes and line breaks), perhaps compressed, read by
/// DuckDB. Every value is a text; a column of messages holds JSON. Where DuckDB refuses a row, it is read record by record from
/// there on: the row is named by its line, or left out and the rest read.
/// </summary>
public sealed class CsvFile : IRowFile
{
    private readonly string path;
    private readonly char separator;
    private readonly SourceOptions options;
    private readonly CsvRecords records;

    /// <summary>A file; it is not opened yet.</summary>
    public CsvFile(string path, SourceOptions options)
    {
        (this.path, this.options) = (path, options);
        separator = DataFile.WithoutCompression(path).EndsWith(".tsv", StringComparison.OrdinalIgnoreCase) ? '\t' : ',';
        records = new CsvRecords(path, (byte)separator, options);
    }

    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Count() => DataFile.Guard(path, () =>
    {
        try
        {
            return records.Heading() is { Length: > 0 } heading ? Table(heading).Count() : 0;
        }
        catch (DuckDBException)
        {
            return records.Count();
        }
    });

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) => DataFile.Guarded(path, ReadRows(wanted));

    private IEnumerable<SourceRow> ReadRows(Predicate<long>? wanted)
    {
        var heading = records.Heading();
        if (heading.Length == 0)
            yield break;
        var passed = 0L;
        using (var rows = Table(heading).Read(heading, IsWanted).GetEnumerator())
        {
            while (Next(rows) is { } more)
            {
                if (!more)
                    yield break;
                yield return rows.Current;
            }
        }
        var understood = passed;
        foreach (var row in records.Read(index => index >= understood && (wanted is null || wanted(index))))
            yield return row;

        bool IsWanted(long index)
        {
            passed = index + 1;
            return wanted is null || wanted(index);
        }
    }

    /// <summary>Whether there is one more row; null when DuckDB refuses it.</summary>
    private static bool? Next(IEnumerator<SourceRow> rows)
    {
        try
        {
            return rows.MoveNext();
        }
        catch (DuckDBException)
        {
            return null;
        }
    }

    /// <summary>Nothing is guessed: names from the heading, all values texts, an empty field an empty text.</summary>
    private DuckDbTable Table(string[] heading)
    {
        var columns = string.Join(", ", heading.Select(name => $"{DuckDbTable.Literal(name)}: 'VARCHAR'"));
        return new DuckDbTable(
            path, $"read_csv({DuckDbTable.Literal(path)}, auto_detect=false, header=true, delim={DuckDbTable.Literal(separator.ToString())}, quote='\"', escape='\"', nullstr=E'\\x01', columns={{{columns}}})",
            options);
    }
}
