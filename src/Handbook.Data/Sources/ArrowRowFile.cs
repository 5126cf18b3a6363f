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
            for (var row = 0; row < batch.Length; row++, index++)
            {
                if (wanted is null || wanted(index))
                    yield return new SourceRow(ToJson(batch, row), new RowPlace(path, index + 1, IsLine: false), index);
            }
        }
    }

    private IEnumerable<RecordBatch> Batches()
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        Span<byte> magic = stackalloc byte[6];
        var isFile = stream.ReadAtLeast(magic, 6, throwOnEndOfStream: false) == 6 && magic.SequenceEqual("ARROW1"u8);
        stream.Position = 0;
        using var reader = isFile ? new ArrowFileReader(stream) : new ArrowStreamReader(stream);
        while (reader.ReadNextRecordBatch() is { } batch)
        {
            using (batch)
                yield return batch;
        }
    }

    private byte[] ToJson(RecordBatch batch, int row)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json);
        writer.WriteStartObject();
        for (var column = 0; column < batch.ColumnCount; column++)
        {
            var name = batch.Schema.GetFieldByIndex(column).Name;
            if (options.Columns is not null && !options.Columns.Contains(options.Rename?.GetValueOrDefault(name) ?? name))
                continue;
            writer.WritePropertyName(name);
            ArrowJson.Write(writer, batch.Column(column), row);
        }
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenSpan.ToArray();
    }
}
