using System.Buffers.Binary;

namespace Handbook.Data.Sources.Parquet;

/// <summary>The values of a page, one after the other; the one that was read last lies in its fields.</summary>
internal abstract class ValueStream
{
    /// <summary>An integer, or the bits of a float or double.</summary>
    public long Bits { get; protected set; }

    /// <summary>The bytes of a value of bytes, valid until the next one is read.</summary>
    public ReadOnlySpan<byte> Bytes => Buffer.AsSpan(Start, Length);

    /// <summary>Where <see cref="Bytes"/> lie.</summary>
    protected byte[] Buffer { get; set; } = [];

    /// <summary>Where in the buffer they begin.</summary>
    public int Start { get; protected set; }

    /// <summary>How many they are.</summary>
    public int Length { get; protected set; }

    /// <summary>Reads the next value.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public abstract void Next();

    /// <summary>What a damaged page is called.</summary>
    protected static InvalidDataException Damaged() => new("a page of values ends early or is damaged");

    /// <summary>The values of a page by their encoding.</summary>
    /// <param name="encoding">Parquet's number.</param>
    /// <param name="column">The column.</param>
    /// <param name="page">
    /// The page's bytes, of which the values begin at <paramref name="start"/> and end at <paramref name="end"/>.
    /// </param>
    /// <param name="start">Where they begin.</param>
    /// <param name="end">Where they end.</param>
    /// <param name="dictionary">The values of the dictionary page before it, or null.</param>
    public static ValueStream Of(long encoding, ValueColumn column, byte[] page, int start, int end, DictionaryValues? dictionary)
    {
        var isBytes = column.Type is PhysicalType.Bytes or PhysicalType.FixedBytes;
        return encoding switch
        {
            0 => new PlainStream(column, page, start, end),
            2 or 8 => new DictionaryStream(dictionary ?? throw new InvalidDataException("a page refers to a dictionary that is not there"),
                page, start, end),
            3 when column.Type == PhysicalType.Boolean => new RunStream(page, start, end),
            5 when !isBytes => new DeltaStream(page, start, end),
            6 when isBytes => new DeltaLengthStream(page, start, end),
            7 when isBytes => new DeltaBytesStream(page, start, end),
            9 => new SplitStream(column, page, start, end),
            _ => throw new InvalidDataException($"its pages are encoded by the number {encoding}, which is not read for this type"),
        };
    }

    /// <summary>Bytes of a value as it lies in a page; 0 where each says so itself.</summary>
    protected static int Width(ValueColumn column) => column.Type switch
    {
        PhysicalType.Int32 or PhysicalType.Float => 4,
        PhysicalType.Int64 or PhysicalType.Double => 8,
        PhysicalType.Int96 => 12,
        PhysicalType.FixedBytes => column.Width,
        _ => 0,
    };

    /// <summary>Takes a value of fixed length.</summary>
    protected void Take(ValueColumn column, byte[] buffer, int start, int width)
    {
        if (column.Type is PhysicalType.FixedBytes or PhysicalType.Int96)
            (Buffer, Start, Length) = (buffer, start, width);
        else
            Bits = width == 4
                ? BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(start))
                : BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(start));
    }
}

/// <summary>Values as they are.</summary>
internal sealed class PlainStream(ValueColumn column, byte[] page, int start, int end) : ValueStream
{
    private readonly int width = Width(column);
    private int at = start;
    private int bit;

    /// <summary>True when there is no further value.</summary>
    public bool AtEnd => at >= end;

    public override void Next()
    {
        if (column.Type == PhysicalType.Boolean)
        {
            Bits = at < end ? (page[at] >> bit) & 1 : throw Damaged();
            (at, bit) = (bit == 7 ? at + 1 : at, (bit + 1) % 8);
            return;
        }
        var length = width;
        if (length == 0)
        {
            length = end - at >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(page.AsSpan(at)) : throw Damaged();
            at += 4;
        }
        if (length < 0 || length > end - at)
            throw Damaged();
        if (width == 0)
            (Buffer, Start, Length) = (page, at, length);
        else
            Take(column, page, at, width);
        at += length;
    }
}

/// <summary>The distinct values of a column, before the pages that refer to them.</summary>
internal sealed class DictionaryValues
{
    private readonly List<(long Bits, int Start, int Length)> values = [];

    /// <summary>Reads them.</summary>
    public DictionaryValues(ValueColumn column, byte[] page, long count)
    {
        Page = page;
        var stream = new PlainStream(column, page, 0, page.Length);
        for (var i = 0L; i < count && !stream.AtEnd; i++)
        {
            stream.Next();
            values.Add((stream.Bits, stream.Start, stream.Length));
        }
    }

    /// <summary>The bytes in which they lie.</summary>
    public byte[] Page { get; }

    /// <summary>A value by its code.</summary>
    public (long Bits, int Start, int Length) this[int code] =>
        (uint)code < (uint)values.Count ? values[code]
            : throw new InvalidDataException("a page refers to a value that its dictionary does not have");
}

/// <summary>Codes into a dictionary.</summary>
internal sealed class DictionaryStream : ValueStream
{
    private readonly DictionaryValues dictionary;
    private RleIntegers codes;

    public DictionaryStream(DictionaryValues dictionary, byte[] page, int start, int end)
    {
        (this.dictionary, Buffer) = (dictionary, dictionary.Page);
        codes = start < end ? new RleIntegers(page, start + 1, end, page[start]) : new RleIntegers(page, start, end, 1);
    }

    public override void Next() => (Bits, Start, Length) = dictionary[codes.Next()];
}

/// <summary>Truth values in runs, their length before them.</summary>
internal sealed class RunStream(byte[] page, int start, int end) : ValueStream
{
    private RleIntegers flags = new(page, Math.Min(start + 4, end), end, 1);

    public override void Next() => Bits = flags.Next();
}

/// <summary>Bytes of a kind together: all first bytes, then all second.</summary>
internal sealed class SplitStream : ValueStream
{
    private readonly ValueColumn column;
    private readonly byte[] page;
    private readonly int start;
    private readonly int count;
    private readonly byte[] value;
    private int next;

    public SplitStream(ValueColumn column, byte[] page, int start, int end)
    {
        var width = Width(column);
        if (width == 0)
            throw Damaged();
        (this.column, this.page, this.start, count, value) = (column, page, start, (end - start) / width, new byte[width]);
    }

    public override void Next()
    {
        if (next >= count)
            throw Damaged();
        for (var i = 0; i < value.Length; i++)
            value[i] = page[start + (i * count) + next];
        next++;
        Take(column, value, 0, value.Length);
    }
}
