using System.Globalization;
using System.Text;
using DuckDB.NET.Data;

namespace Handbook.Data.Sources;

/// <summary>A file that DuckDB reads, out of core: its rows come as a stream, nested values as JSON.</summary>
/// <param name="path">The file.</param>
/// <param name="function">The table function over it, such as <c>read_parquet('a.parquet')</c>.</param>
/// <param name="options">How files become rows.</param>
internal sealed class DuckDbTable(string path, string function, SourceOptions options)
{
    /// <summary>The columns in the file's order.</summary>
    public List<string> Columns()
    {
        using var connection = Connect();
        using var command = Command(connection, $"DESCRIBE SELECT * FROM {function}");
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read())
            names.Add(reader.GetString(0));
        return names;
    }

    /// <summary>Number of rows.</summary>
    public long Count()
    {
        using var connection = Connect();
        using var command = Command(connection, $"SELECT count(*) FROM {function}");
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    /// <summary>Rows in the file's order with the columns that are kept.</summary>
    /// <exception cref="UserErrorException">None of the columns asked for is there.</exception>
    public IEnumerable<SourceRow> Read(IReadOnlyList<string> all, Predicate<long>? wanted)
    {
        var columns = string.Join(", ", all.Where(IsKept).Select(Identifier));
        if (columns.Length == 0)
            throw new UserErrorException($"{path}: none of the columns asked for ({string.Join(", ", options.Columns ?? [])}) is there; the file has {string.Join(", ", all)}");
        using var connection = Connect();
        using var command = Command(connection, $"SELECT to_json(t)::VARCHAR FROM (SELECT {columns} FROM {function}) t");
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

    /// <summary>A text as SQL writes it.</summary>
    public static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    private static string Identifier(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    private bool IsKept(string column) =>
        options.Columns is null || options.Columns.Contains(options.Rename?.GetValueOrDefault(column) ?? column);

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
