using System.Globalization;
using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Handbook.Data.Sources;

/// <summary>
/// CSV or TSV with a heading (RFC 4180: quoted fields may hold separators, quotes and line breaks), perhaps compressed, read record
/// by record as pandas understands it. Every value is a text; a column of messages holds JSON. A broken record is named by its
/// line, and the rest read.
/// </summary>
public sealed class CsvFile(string path, SourceOptions options) : IRowFile
{
    private readonly byte separator = (byte)(options.Csv?.Separator
        ?? (DataFile.WithoutCompression(path).EndsWith(".tsv", StringComparison.OrdinalIgnoreCase) ? '\t' : ','));
    private readonly bool firstIsHeading = options.Csv?.FirstIsHeading ?? true;

    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Count() => DataFile.Guard(path, () =>
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var record = new CsvRecord(separator, options.MaxRowBytes);
        var count = firstIsHeading ? -1L : 0;
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
        var names = Names(record);
        var kept = options.Kept(path, names);
        if (firstIsHeading && !record.Read(lines))
            yield break;
        var index = 0L;
        do
        {
            if (wanted is null || wanted(index))
                yield return Row(record, names, kept, index);
            index++;
        }
        while (record.Read(lines));
    }

    /// <summary>The columns' names: the card's, the heading's, or without either their numbers.</summary>
    private string[] Names(CsvRecord first)
    {
        if (first.Problem is not null)
            throw new UserErrorException(FormattableString.Invariant(
                $"{path}, line {first.FirstLine}: the heading cannot be read: {first.Problem}"));
        if (options.Csv?.Names is { } given)
            return CsvDialect.Distinct(given);
        return firstIsHeading
            ? CsvDialect.Distinct([.. first.Fields.Select(field => Encoding.UTF8.GetString(field.Span))])
            : [.. Enumerable.Range(0, first.Fields.Count).Select(i => FormattableString.Invariant($"{i}"))];
    }

    private SourceRow Row(CsvRecord record, string[] names, bool[] kept, long index)
    {
        var place = new RowPlace(path, record.FirstLine, IsLine: true);
        if (record.Problem is not null)
            return new SourceRow(default, place, index, record.Problem);
        if (record.Fields.Count != names.Length)
        {
            return new SourceRow(default, place, index, string.Create(CultureInfo.InvariantCulture,
                $"{Quantity.Of(record.Fields.Count, "field")}; expected {names.Length} as in the heading "
                    + $"({string.Join(", ", names.Take(6))})"));
        }
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, SourceRow.WriterOptions))
        {
            writer.WriteStartObject();
            for (var i = 0; i < names.Length; i++)
            {
                if (!kept[i])
                    continue;
                if (!Utf8.IsValid(record.Fields[i].Span))
                    return new SourceRow(default, place, index, $"column \"{names[i]}\": {SourceRow.InvalidUtf8(record.Fields[i].Span)}");
                writer.WriteString(names[i], record.Fields[i].Span);
            }
            writer.WriteEndObject();
        }
        return new SourceRow(json.WrittenMemory, place, index);
    }
}
