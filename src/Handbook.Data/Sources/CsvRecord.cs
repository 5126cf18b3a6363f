using System.Buffers;

namespace Handbook.Data.Sources;

/// <summary>Reads one CSV record at a time; reused for all.</summary>
internal sealed class CsvRecord(byte separator, int maxBytes)
{
    private readonly ArrayBufferWriter<byte> bytes = new();
    private readonly List<(int Start, int Length)> bounds = [];

    /// <summary>The fields, unquoted, valid until the next read.</summary>
    public List<ReadOnlyMemory<byte>> Fields { get; } = [];

    /// <summary>Line on which the record begins.</summary>
    public long FirstLine { get; private set; }

    /// <summary>Why the record is broken, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Reads the next record, ignoring blank lines; false at the end.</summary>
    public bool Read(ByteLines lines)
    {
        bytes.ResetWrittenCount();
        bounds.Clear();
        Fields.Clear();
        Problem = null;
        ReadOnlySpan<byte> line;
        do
        {
            if (!lines.Next(out line))
                return false;
        }
        while (line.IsEmpty && !lines.TooLong);
        FirstLine = lines.LineNumber;
        if (lines.TooLong)
            Problem = JsonLinesFile.TooLong(lines.LineLength, maxBytes);
        else
            ReadFields(line, lines);
        foreach (var (start, length) in bounds)
            Fields.Add(bytes.WrittenMemory.Slice(start, length));
        return true;
    }

    private void ReadFields(ReadOnlySpan<byte> line, ByteLines lines)
    {
        while (true)
        {
            var start = bytes.WrittenCount;
            if (line.Length > 0 && line[0] == '"')
            {
                line = line[1..];
                if (!ReadQuoted(ref line, lines))
                    return;
            }
            var cut = line.IndexOf(separator);
            bytes.Write(cut < 0 ? line : line[..cut]);
            bounds.Add((start, bytes.WrittenCount - start));
            if (cut < 0)
                return;
            line = line[(cut + 1)..];
        }
    }

    /// <summary>Reads up to the closing quote, over line ends if need be.</summary>
    private bool ReadQuoted(ref ReadOnlySpan<byte> line, ByteLines lines)
    {
        while (true)
        {
            var quote = line.IndexOf((byte)'"');
            if (quote >= 0 && quote + 1 < line.Length && line[quote + 1] == '"')
            {
                bytes.Write(line[..(quote + 1)]);
                line = line[(quote + 2)..];
                continue;
            }
            if (quote >= 0)
            {
                bytes.Write(line[..quote]);
                line = line[(quote + 1)..];
                return true;
            }
            bytes.Write(line);
            bytes.Write(lines.EndedWithReturn ? "\r\n"u8 : "\n"u8);
            if (!lines.Next(out line))
            {
                Problem = "the file ends inside a quoted field";
                return false;
            }
            if (lines.TooLong || bytes.WrittenCount > maxBytes)
            {
                Problem = JsonLinesFile.TooLong(Math.Max(lines.LineLength, bytes.WrittenCount), maxBytes);
                return false;
            }
        }
    }
}
