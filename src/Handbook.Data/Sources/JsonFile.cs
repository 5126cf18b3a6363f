namespace Handbook.Data.Sources;

/// <summary>
/// A file of JSON, whatever its ending (<c>.json</c>, <c>.jsonl</c>, <c>.ndjson</c>): one object a line, or one list of objects
/// however it is laid out, or one list of texts, each of which is a row with the column <c>text</c>. Elements of a list are found
/// by scanning bytes, so a list of any size is read as a stream.
/// </summary>
public sealed class JsonFile(string path, SourceOptions options) : IRowFile
{
    private readonly JsonLinesFile lines = new(path, options);

    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Count()
    {
        if (!IsList())
            return lines.Count();
        var count = 0L;
        foreach (var _ in Read(_ => ++count < 0))
        {
        }
        return count;
    }

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) =>
        IsList() ? DataFile.Guarded(path, ReadElements(wanted)) : lines.Read(wanted);

    /// <summary>True when the file begins as a list of objects or texts; a line that is a list of anything else is a broken row.</summary>
    private bool IsList() => DataFile.Guard(path, () =>
    {
        using var stream = new BufferedStream(DataFile.Open(path), 4096);
        return FirstOf(stream) == '[' && FirstOf(stream) is '{' or '"' or ']';
    });

    private static int FirstOf(Stream stream)
    {
        var next = stream.ReadByte();
        while (JsonElementScanner.IsBlank(next))
            next = stream.ReadByte();
        return next;
    }

    private IEnumerable<SourceRow> ReadElements(Predicate<long>? wanted)
    {
        using var stream = new BufferedStream(DataFile.Open(path), 1 << 20);
        var scanner = new JsonElementScanner(stream, options.MaxRowBytes);
        var index = -1L;
        var areTexts = false;
        while (scanner.Next())
        {
            index++;
            if (index == 0)
                areTexts = scanner.Element.Span is [(byte)'"', ..];
            if (wanted is null || wanted(index))
                yield return Row(scanner, index, areTexts);
        }
        if (scanner.Problem is not null)
            throw new UserErrorException(FormattableString.Invariant(
                $"{path}, line {scanner.Line}, after row {index + 1}: {scanner.Problem}"));
    }

    private SourceRow Row(JsonElementScanner scanner, long index, bool areTexts)
    {
        var place = new RowPlace(path, index + 1, IsLine: false);
        if (scanner.ElementLength > options.MaxRowBytes)
            return new SourceRow(default, place, index, JsonLinesFile.TooLong(scanner.ElementLength, options.MaxRowBytes));
        var element = scanner.Element.Span;
        if (!areTexts)
            return new SourceRow(element.ToArray(), place, index);
        return element is [(byte)'"', ..]
            ? new SourceRow((byte[])[.. "{\"text\":"u8, .. element, (byte)'}'], place, index)
            : new SourceRow(default, place, index, "the row is no text; expected one, since the list begins with a text");
    }
}
