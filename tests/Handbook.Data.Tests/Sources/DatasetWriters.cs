using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using DuckDB.NET.Data;
using ZstdSharp;

namespace Handbook.Data.Tests.Sources;

/// <summary>Writes the same conversations in every format that is read.</summary>
internal static class DatasetWriters
{
    /// <summary>Conversations with quotes, line breaks and characters beyond the first plane.</summary>
    public static List<(string Role, string Content)[]> Conversations(int count) => [.. Enumerable.Range(0, count).Select(i => new[]
    {
        ("system", i % 3 == 0 ? "Be brief." : "Answer, please."),
        ("user", $"Question {i}: \"why\", he said,\nand then?"),
        ("assistant", $"Because {i} \\ 2 = \u00e9\U0001F600{new string('x', i % 50)}"),
    })];

    public static string JsonLines(List<(string Role, string Content)[]> conversations) =>
        string.Concat(conversations.Select(messages => new JsonObject { ["messages"] = Messages(messages) }.ToJsonString() + "\n"));

    public static void Write(string path, List<(string Role, string Content)[]> conversations)
    {
        var lines = Encoding.UTF8.GetBytes(JsonLines(conversations));
        switch (Path.GetExtension(path))
        {
            case ".jsonl": File.WriteAllBytes(path, lines); break;
            case ".json": File.WriteAllText(path,
                new JsonArray([.. conversations.Select(m => (JsonNode)new JsonObject { ["messages"] = Messages(m) })])
                    .ToJsonString(new() { WriteIndented = true })); break;
            case ".gz" or ".zst": WriteCompressed(path, lines); break;
            case ".csv": File.WriteAllText(path,
                "messages\n" + string.Concat(conversations.Select(m => Quoted(Messages(m).ToJsonString()) + "\r\n"))); break;
            case ".parquet": WriteParquet(path, lines); break;
            case ".arrow": WriteArrow(path, conversations); break;
            default: throw new NotSupportedException(path);
        }
    }

    /// <summary>Bytes as the ending says: <c>.gz</c>, <c>.zst</c>, or as they are.</summary>
    public static void WriteCompressed(string path, byte[] bytes)
    {
        using Stream file = Path.GetExtension(path) switch
        {
            ".gz" => new GZipStream(File.Create(path), CompressionLevel.Fastest),
            ".zst" => new CompressionStream(File.Create(path), leaveOpen: false),
            _ => File.Create(path),
        };
        file.Write(bytes);
    }

    public static void WriteParquet(string path, byte[] jsonLines)
    {
        var source = path + ".source.jsonl.tmp";
        File.WriteAllBytes(source, jsonLines);
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText =
            $"COPY (SELECT * FROM read_json('{source}', format='newline_delimited')) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)";
#pragma warning restore CA2100
        command.ExecuteNonQuery();
        File.Delete(source);
    }

    /// <summary>list&lt;struct&lt;role, content&gt;&gt; as an IPC stream of several batches, the form of <c>save_to_disk</c>.</summary>
    private static void WriteArrow(string path, List<(string Role, string Content)[]> conversations)
    {
        var message = new StructType([new Field("role", StringType.Default, true), new Field("content", StringType.Default, true)]);
        var schema = new Schema([new Field("messages", new ListType(new Field("item", message, true)), true)], null);
        using var file = File.Create(path);
        using var writer = new ArrowStreamWriter(file, schema);
        foreach (var batch in conversations.Chunk(37))
        {
            var (roles, contents, offsets) = (new StringArray.Builder(), new StringArray.Builder(), new ArrowBuffer.Builder<int>());
            var total = 0;
            foreach (var messages in batch)
            {
                offsets.Append(total);
                total += messages.Length;
                foreach (var (role, content) in messages)
                {
                    roles.Append(role);
                    contents.Append(content);
                }
            }
            offsets.Append(total);
            var items = new StructArray(message, total, [roles.Build(), contents.Build()], ArrowBuffer.Empty);
            var list = new ListArray(schema.GetFieldByIndex(0).DataType, batch.Length, offsets.Build(), items, ArrowBuffer.Empty);
            writer.WriteRecordBatch(new RecordBatch(schema, [list], batch.Length));
        }
        writer.WriteEnd();
    }

    private static JsonArray Messages((string Role, string Content)[] messages) =>
        new([.. messages.Select(m => (JsonNode)new JsonObject { ["role"] = m.Role, ["content"] = m.Content })]);

    private static string Quoted(string text) => "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
}
