using System.Buffers;
using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Ipc;

namespace Handbook.Data.Sources;

/// <summary>An Arrow file as <c>datasets.save_to_disk</c> writes it (IPC stream), or in Arrow's file form.</summary>
public sealed class ArrowRowFile(string path, SourceOptions options) : IRowFile
{
    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Count() => DataFile.Guard(path, () => Batches().Sum(batch => (long)batch.Length));

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) => DataFile.Guarded(path, ReadRows(wanted));

    private IEnumerable<SourceRow> ReadRows(Predicate<long>? wanted)
    {
        var index = 0L;
        foreach (var batch in Batches())
        {
            var columns = KeptColumns(batch.Schema);
            for (var row = 0; row < batch.Length; row++, index++)
            {
                if (wanted is null || wanted(index))
                    yield return Row(batch, columns, row, index);
            }
        }
    }

    private IEnumerable<RecordBatch> Batches()
    {
        using var stream = OrdinaryFile.Open(path, 1 << 20);
        var magic = new byte[6];
        var isFile = stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length
            && magic.AsSpan().SequenceEqual("ARROW1"u8);
        stream.Position = 0;
        ArrowSchemaCheck.Check(stream, isFile);
        using var reader = isFile ? new ArrowFileReader(stream) : new ArrowStreamReader(stream);
        while (reader.ReadNextRecordBatch() is { } batch)
        {
            using (batch)
                yield return batch;
        }
    }

    private int[] KeptColumns(Schema schema)
    {
        var kept = options.Kept(path, [.. schema.FieldsList.Select(field => field.Name)]);
        return [.. Enumerable.Range(0, kept.Length).Where(column => kept[column])];
    }

    private SourceRow Row(RecordBatch batch, int[] columns, int row, long index)
    {
        var place = new RowPlace(path, index + 1, IsLine: false);
        try
        {
            var json = BadRowException.Guard(place, () => ToJson(batch, columns, row));
            return json.Length > options.MaxRowBytes
                ? new SourceRow(default, place, index, JsonLinesFile.TooLong(json.Length, options.MaxRowBytes))
                : new SourceRow(json, place, index);
        }
        catch (BadRowException e)
        {
            return new SourceRow(default, place, index, e.Problem);
        }
    }

    private static ReadOnlyMemory<byte> ToJson(RecordBatch batch, int[] columns, int row)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json, SourceRow.WriterOptions);
        writer.WriteStartObject();
        foreach (var column in columns)
        {
            writer.WritePropertyName(batch.Schema.GetFieldByIndex(column).Name);
            ArrowJson.Write(writer, batch.Schema.GetFieldByIndex(column), batch.Column(column), row);
        }
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenMemory;
    }
}
