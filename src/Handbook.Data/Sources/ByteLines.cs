namespace Handbook.Data.Sources;

/// <summary>Splits a stream into lines without decoding them and without ever holding more than one of bounded size.</summary>
internal sealed class ByteLines(Stream stream, int maxBytes) : IDisposable
{
    private byte[] buffer = new byte[1 << 20];
    private int start;
    private int end;
    private bool atEnd;

    /// <summary>Number of the line returned last, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>Bytes of the line returned last, also when it was too long to hold.</summary>
    public long LineLength { get; private set; }

    /// <summary>True when the line returned last ended with \r\n.</summary>
    public bool EndedWithReturn { get; private set; }

    /// <summary>True when the line returned last was longer than allowed; its text is then empty.</summary>
    public bool TooLong { get; private set; }

    /// <summary>
    /// The next line without its end (\n or \r\n), valid until the next call; false at the end of the stream.
    /// </summary>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        var dropped = 0L;
        var searched = 0;
        while (true)
        {
            var newline = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (newline >= 0 || (atEnd && end > start) || (atEnd && dropped > 0))
            {
                var length = newline >= 0 ? searched + newline : end - start;
                line = buffer.AsSpan(start, length);
                start += newline >= 0 ? length + 1 : length;
                return Finish(ref line, dropped);
            }
            if (atEnd)
            {
                line = default;
                return false;
            }
            searched = end - start;
            if (searched > maxBytes)
            {
                dropped += searched;
                (start, end, searched) = (0, 0, 0);
            }
            Fill();
        }
    }

    public void Dispose() => stream.Dispose();

    private bool Finish(ref ReadOnlySpan<byte> line, long dropped)
    {
        EndedWithReturn = line.Length > 0 && line[^1] == '\r';
        if (EndedWithReturn)
            line = line[..^1];
        if (LineNumber == 0 && dropped == 0 && line.StartsWith("\uFEFF"u8))
            line = line[3..];
        LineNumber++;
        LineLength = dropped + line.Length;
        TooLong = LineLength > maxBytes;
        if (TooLong)
            line = default;
        return true;
    }

    private void Fill()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        if (end == buffer.Length)
            Array.Resize(ref buffer, buffer.Length * 2);
        var read = stream.Read(buffer, end, buffer.Length - end);
        end += read;
        atEnd = read == 0;
    }
}
