using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace Handbook.Data.Sources;

/// <summary>Plain text, perhaps compressed: rows with one column <c>text</c>.</summary>
public sealed class TextRowFile(string path, SourceOptions options) : IRowFile
{
    /// <summary>A document longer than this is cut at the next blank line, at four times this at the next line.</summary>
    private const int PartBytes = 1 << 20;

    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Count() => Read(null).LongCount();

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) => DataFile.Guarded(path, ReadRows(wanted));

    private IEnumerable<SourceRow> ReadRows(Predicate<long>? wanted)
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var text = new ArrayBufferWriter<byte>();
        var (index, firstLine, open) = (0L, 1L, true);
        while (open)
        {
            open = lines.Next(out var line);
            var problem = open && lines.TooLong ? JsonLinesFile.TooLong(lines.LineLength, options.MaxRowBytes) : null;
            var complete = Append(text, line, open);
            if (problem is null && (!complete || (text.WrittenCount == 0 && (options.TextUnit != TextUnit.Line || !open))))
                continue;
            if (wanted is null || wanted(index))
                yield return Row(text.WrittenSpan, new RowPlace(path, firstLine, IsLine: true), index, problem);
            index++;
            text.ResetWrittenCount();
            firstLine = lines.LineNumber + 1;
        }
    }

    /// <summary>Adds a line to the row being gathered; true when the row is complete.</summary>
    private bool Append(ArrayBufferWriter<byte> text, ReadOnlySpan<byte> line, bool open)
    {
        if (!open)
            return true;
        if (options.TextUnit == TextUnit.Line)
        {
            text.Write(line);
            return true;
        }
        var blank = line.Trim(" \t"u8).IsEmpty;
        if (options.TextUnit == TextUnit.Paragraph && blank)
            return true;
        text.Write(line);
        text.Write("\n"u8);
        return options.TextUnit == TextUnit.Document
            && ((blank && text.WrittenCount >= PartBytes) || text.WrittenCount >= 4 * PartBytes);
    }

    private SourceRow Row(ReadOnlySpan<byte> text, RowPlace place, long index, string? problem)
    {
        if (problem is not null)
            return new SourceRow(default, place, index, problem);
        if (options.TextUnit == TextUnit.Paragraph && text[^1] == '\n')
            text = text[..^1];
        if (!Utf8.IsValid(text))
            return Broken(text, place, index);
        var json = new ArrayBufferWriter<byte>(text.Length + 16);
        using (var writer = new Utf8JsonWriter(json, SourceRow.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("text"u8, text);
            writer.WriteEndObject();
        }
        return new SourceRow(json.WrittenMemory, place, index);
    }

    /// <summary>A text of several lines is broken in one of them.</summary>
    private static SourceRow Broken(ReadOnlySpan<byte> text, RowPlace place, long index)
    {
        for (var number = place.Number; ; number++)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            if (!Utf8.IsValid(line))
                return new SourceRow(default, place with { Number = number }, index, SourceRow.InvalidUtf8(line));
            text = text[(end + 1)..];
        }
    }
}
