namespace Handbook.Data.Sources;

/// <summary>
/// A <c>.json</c> file: one list of objects, however it is laid out, or JSON Lines under another name. Elements are found by
/// scanning bytes, so a list of any size is read as a stream.
/// </summary>
public sealed class JsonDocumentFile(string path, SourceOptions options) : IRowFile
{
    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Count() => IsList() ? Read(_ => false).LongCount() + counted : new JsonLinesFile(path, options).Count();

    private long counted;

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) =>
        IsList() ? DataFile.Guarded(path, ReadElements(wanted)) : new JsonLinesFile(path, options).Read(wanted);

    private bool IsList() => DataFile.Guard(path, () =>
    {
        using var stream = new BufferedStream(DataFile.Open(path), 4096);
        for (var next = stream.ReadByte(); next >= 0; next = stream.ReadByte())
        {
            if (next is not (' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF))
                return next == '[';
        }
        return false;
    });

    private IEnumerable<SourceRow> ReadElements(Predicate<long>? wanted)
    {
        using var stream = new BufferedStream(DataFile.Open(path), 1 << 20);
        var scanner = new JsonElementScanner(stream, options.MaxRowBytes);
        var index = -1L;
        counted = 0;
        while (scanner.Next())
        {
            index++;
            counted = index + 1;
            if (wanted is not null && !wanted(index))
                continue;
            var place = new RowPlace(path, index + 1, IsLine: false);
            yield return scanner.ElementLength > options.MaxRowBytes
                ? new SourceRow(default, place, index, JsonLinesFile.TooLong(scanner.ElementLength, options.MaxRowBytes))
                : new SourceRow(scanner.Element.ToArray(), place, index);
        }
        if (scanner.Problem is not null)
            throw new UserErrorException(FormattableString.Invariant($"{path}, line {scanner.Line}, after row {index + 1}: {scanner.Problem}"));
    }
}
