using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Handbook.Data.Sources;

/// <summary>
/// CSV or TSV record by record, as pandas understands it, with the line of each: for files that DuckDB refuses, to say where
/// they are broken and to go on behind that.
/// </summary>
internal sealed class CsvRecords(string path, byte separator, SourceOptions options)
{
    /// <summary>Names of the columns; none in an empty file.</summary>
    public string[] Heading()
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var record = new CsvRecord(separator, options.MaxRowBytes);
        return record.Read(lines) && record.Problem is null ? Names(record) : [];
    }

    /// <summary>Number of records behind the heading, broken ones too.</summary>
    public long Count()
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var record = new CsvRecord(separator, options.MaxRowBytes);
        var count = -1L;
        while (record.Read(lines))
            count++;
        return Math.Max(0, count);
    }

    /// <summary>Records in order, broken ones with their problem.</summary>
    public IEnumerable<SourceRow> Read(Predicate<long> wanted)
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var record = new CsvRecord(separator, options.MaxRowBytes);
        if (!record.Read(lines))
            yield break;
        var heading = Names(record);
        for (var index = 0L; record.Read(lines); index++)
        {
            if (wanted(index))
                yield return Row(record, heading, index);
        }
    }

    private static string[] Names(CsvRecord record) => [.. record.Fields.Select(field => Encoding.UTF8.GetString(field.Span))];

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
