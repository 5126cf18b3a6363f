namespace Handbook.Data.Sources;

/// <summary>JSON Lines, perhaps compressed: one object a line, blank lines ignored.</summary>
public sealed class JsonLinesFile(string path, SourceOptions options) : IRowFile
{
    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Count() => DataFile.Guard(path, () =>
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var count = 0L;
        while (lines.Next(out var line))
            count += IsBlank(line) && !lines.TooLong ? 0 : 1;
        return count;
    });

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) => DataFile.Guarded(path, ReadLines(wanted));

    private IEnumerable<SourceRow> ReadLines(Predicate<long>? wanted)
    {
        using var lines = new ByteLines(DataFile.Open(path), options.MaxRowBytes);
        var index = -1L;
        while (NextRow(lines, wanted, ref index, out var row))
            yield return row;
    }

    private bool NextRow(ByteLines lines, Predicate<long>? wanted, ref long index, out SourceRow row)
    {
        while (lines.Next(out var line))
        {
            if (!lines.TooLong && IsBlank(line))
                continue;
            index++;
            if (wanted is not null && !wanted(index))
                continue;
            var place = new RowPlace(path, lines.LineNumber, IsLine: true);
            row = lines.TooLong
                ? new SourceRow(default, place, index, TooLong(lines.LineLength, options.MaxRowBytes))
                : new SourceRow(line.ToArray(), place, index);
            return true;
        }
        row = default;
        return false;
    }

    /// <summary>The words for a row beyond the limit.</summary>
    internal static string TooLong(long bytes, int limit) => FormattableString.Invariant(
        $"the row is {bytes / 1048576.0:F1} MiB long; at most {limit / 1048576.0:F0} MiB are read as one row");

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.Trim(" \t\r"u8).IsEmpty;
}
