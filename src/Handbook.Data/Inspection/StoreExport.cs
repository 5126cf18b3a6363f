using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;
using Handbook.Data.Packing;
using Handbook.Data.Store;

namespace Handbook.Data.Inspection;

/// <summary>
/// Writes the exact stream of tokens and labels of a set as Parquet, so that other programs can compare it with theirs:
/// <c>input_ids</c>, <c>labels</c> (-100 where a token is none), <c>position_ids</c> and <c>examples</c> a row; for pairs
/// <c>prompt_ids</c>, <c>chosen_ids</c>, <c>rejected_ids</c>; for verdicts <c>prompt_ids</c>, <c>completion_ids</c>, <c>label</c>.
/// </summary>
public static class StoreExport
{
    private const int IgnoreIndex = -100;

    /// <summary>What stands in the metadata of every file written here.</summary>
    public static ReadOnlySpan<byte> Mark => "handbook data export"u8;

    /// <summary>Writes a file; the path never holds half a file.</summary>
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public static void ToParquet(TokenStore store, TokenSet set, string path, CancellationToken cancellation = default)
    {
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            throw new UserErrorException($"{path}: cannot be written: the folder is not there");
        try
        {
            AtomicFile.WriteNamed(path, folder =>
            {
                var (rows, parquet) = (Path.Combine(folder, "rows.jsonl"), Path.Combine(folder, "rows.parquet"));
                WriteRows(store.Kind, set, rows, cancellation);
                Convert(rows, parquet, store.Kind);
                return parquet;
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DuckDBException)
        {
            throw new UserErrorException($"{path}: cannot be written: {e.Message.Split('\n')[0]}", e);
        }
    }

    private static void WriteRows(StoreKind kind, TokenSet set, string path, CancellationToken cancellation)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        using var writer = new Utf8JsonWriter(file);
        for (var row = 0; row < set.RowCount; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            writer.WriteStartObject();
            writer.WriteNumber("row", row);
            WriteRow(writer, kind, set, row);
            writer.WriteEndObject();
            writer.Flush();
            writer.Reset();
            file.WriteByte((byte)'\n');
        }
    }

    private static void WriteRow(Utf8JsonWriter writer, StoreKind kind, TokenSet set, int row)
    {
        switch (kind)
        {
            case StoreKind.Pairs:
                var pair = set.Pair(row);
                Write(writer, "prompt_ids", pair.Prompt);
                Write(writer, "chosen_ids", pair.Chosen);
                Write(writer, "rejected_ids", pair.Rejected);
                break;
            case StoreKind.Verdicts:
                var verdict = set.Verdict(row);
                Write(writer, "prompt_ids", verdict.Prompt);
                Write(writer, "completion_ids", verdict.Completion);
                writer.WriteBoolean("label", verdict.Desirable);
                break;
            default:
                var batch = set.Row(row);
                Write(writer, "input_ids", batch.TokenIds);
                Write(writer, "labels", [.. batch.TokenIds.Select((id, i) => batch.LossMask[i] ? id : IgnoreIndex)]);
                Write(writer, "position_ids", batch.Layout.Positions());
                Write(writer, "examples", [.. batch.ExampleIds.Select(id => (int)id)]);
                break;
        }
    }

    private static void Write(Utf8JsonWriter writer, string name, int[] values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
            writer.WriteNumberValue(value);
        writer.WriteEndArray();
    }

    private static void Convert(string rows, string parquet, StoreKind kind)
    {
        var columns = kind switch
        {
            StoreKind.Pairs => "row: 'BIGINT', prompt_ids: 'INTEGER[]', chosen_ids: 'INTEGER[]', rejected_ids: 'INTEGER[]'",
            StoreKind.Verdicts => "row: 'BIGINT', prompt_ids: 'INTEGER[]', completion_ids: 'INTEGER[]', label: 'BOOLEAN'",
            _ => "row: 'BIGINT', input_ids: 'INTEGER[]', labels: 'INTEGER[]', position_ids: 'INTEGER[]', examples: 'INTEGER[]'",
        };
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The text holds no values but two escaped paths, for which DuckDB takes no parameters.
        command.CommandText =
            $"COPY (SELECT * FROM read_json('{Escaped(rows)}', format='newline_delimited', columns={{{columns}}}, "
            + "maximum_object_size=1073741824)) " +
            $"TO '{Escaped(parquet)}' (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{written_by: '{Encoding.UTF8.GetString(Mark)}'}})";
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static string Escaped(string path) => path.Replace("'", "''", StringComparison.Ordinal);
}
