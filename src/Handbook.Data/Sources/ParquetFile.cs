using System.Globalization;
using System.Text;
using DuckDB.NET.Data;

namespace Handbook.Data.Sources;

/// <summary>A Parquet file, read by DuckDB out of core; nested lists and structs become JSON.</summary>
public sealed class ParquetFile(string path, SourceOptions options) : IRowFile
{
    /// <inheritdoc/>
    public string Path => path;

    /// <summary>The columns in the file's order.</summary>
    public IReadOnlyList<string> Columns() => DataFile.Guard(path, () =>
    {
        using var connection = Connect();
        var names = new List<string>();
        using var command = Command(connection, $"DESCRIBE SELECT * FROM {Table()}");
        using var reader = command.ExecuteReader();
        while (reader.Read())
            names.Add(reader.GetString(0));
        return names;
    });

    /// <inheritdoc/>
    public long Count() => DataFile.Guard(path, () =>
    {
        using var connection = Connect();
        using var command = Command(connection, $"SELECT count(*) FROM {Table()}");
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    });

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) => DataFile.Guarded(path, ReadRows(wanted));

    private IEnumerable<SourceRow> ReadRows(Predicate<long>? wanted)
    {
        var columns = string.Join(", ", Columns().Where(IsKept).Select(name => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\""));
        if (columns.Length == 0)
            throw new UserErrorException($"{path}: none of the columns asked for ({string.Join(", ", options.Columns!)}) is there; the file has {string.Join(", ", Columns())}");
        using var connection = Connect();
        using var command = Command(connection, $"SELECT to_json(t)::VARCHAR FROM (SELECT {columns} FROM {Table()}) t");
        command.UseStreamingMode = true;
        using var reader = command.ExecuteReader();
        for (var index = 0L; reader.Read(); index++)
        {
            if (wanted is not null && !wanted(index))
                continue;
            var place = new RowPlace(path, index + 1, IsLine: false);
            var json = Encoding.UTF8.GetBytes(reader.GetString(0));
            yield return json.Length > options.MaxRowBytes
                ? new SourceRow(default, place, index, JsonLinesFile.TooLong(json.Length, options.MaxRowBytes))
                : new SourceRow(json, place, index);
        }
    }

    private bool IsKept(string column) =>
        options.Columns is null || options.Columns.Contains(options.Rename?.GetValueOrDefault(column) ?? column);

    private string Table() => $"read_parquet('{path.Replace("'", "''", StringComparison.Ordinal)}')";

    /// <summary>A database of its own in memory, without any extension that would have to be fetched.</summary>
    private DuckDBConnection Connect()
    {
        var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = Command(connection, FormattableString.Invariant(
            $"SET autoinstall_known_extensions=false; SET autoload_known_extensions=false; SET threads=1; SET memory_limit='{options.DuckDbMemoryMiB}MiB'"));
        command.ExecuteNonQuery();
        return connection;
    }

    private static DuckDBCommand Command(DuckDBConnection connection, string sql)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text holds no values: DuckDB takes no parameters for table functions' paths, which are escaped.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }
}
