using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Handbook.Data.Sources;

/// <summary>
/// CSV or TSV with a heading (RFC 4180: quoted fields may hold separators, quotes and line breaks), perhaps compressed. Every
/// value is a text; a column of messages holds JSON.
/// </summary>
public sealed class CsvFile(string path, SourceOptions options) : IRowFile
{
    private readonly byte separator = DataFile.WithoutCompression(path).EndsWith(".tsv", StringComparison.OrdinalIgnoreCase) ? (byte)'\t' : (byte)',';

    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Count() => DataFile.Guard(path, () =>
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var record = new CsvRecord(separator, options.MaxRowBytes);
        var count = -1L;
        while (record.Read(lines))
            count++;
        return Math.Max(0, count);
    });

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) => DataFile.Guarded(path, ReadRecords(wanted));

    private IEnumerable<SourceRow> ReadRecords(Predicate<long>? wanted)
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var record = new CsvRecord(separator, options.MaxRowBytes);
        if (!record.Read(lines))
            yield break;
        var heading = record.Fields.Select(field => Encoding.UTF8.GetString(field.Span)).ToArray();
        for (var index = 0L; record.Read(lines); index++)
        {
            if (wanted is null || wanted(index))
                yield return Row(record, heading, index);
        }
    }

    private SourceRow Row(CsvRecord record, string[] heading, long index)
    {
        var place = new RowPlace(path, record.FirstLine, IsLine: true);
        if (record.Problem is not null)
            return new SourceRow(default, place, index, record.Problem);
        if (record.Fields.Count != heading.Length)
        {
            return new SourceRow(default, place, index, FormattableString.Invariant(
                $"{record.Fields.Count} fields; expected {heading.Length} as in the heading ({string.Join(", ", heading.Take(6))})"));
        }
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            for (var i = 0; i < heading.Length; i++)
            {
                if (!Utf8.IsValid(record.Fields[i].Span))
                    return new SourceRow(default, place, index, $"column \"{heading[i]}\": {SourceRow.InvalidUtf8(record.Fields[i].Span)}");
                writer.WriteString(heading[i], record.Fields[i].Span);
            }
            writer.WriteEndObject();
        }
        return new SourceRow(json.WrittenMemory, place, index);
    }
}
