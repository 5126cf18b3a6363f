using System.Buffers.Binary;
using System.Numerics;
using Microsoft.Win32.SafeHandles;

namespace Handbook.Data.Sources.Parquet;

/// <summary>
/// Goes through one column of a row group, value by value, with their levels. It holds one page at a time, so that memory follows
/// what a page holds, not how many rows there are.
/// </summary>
internal sealed class ColumnCursor
{
    private const int LargestPage = 512 << 20;
    private const int LargestHeader = 16 << 20;
    private readonly SafeFileHandle file;
    private readonly long codec;
    private readonly long count;
    private readonly int maxDefinition;
    private readonly int maxRepetition;
    private long position;
    private byte[] page = [];
    private byte[] compressed = [];
    private long read;
    private long leftInPage;
    private RleIntegers repetitions;
    private RleIntegers definitions;
    private DictionaryValues? dictionary;
    private ValueStream? values;

    /// <summary>A column's chunk of a row group; nothing is read yet.</summary>
    /// <exception cref="InvalidDataException">The chunk's description is broken, or it is encrypted or in another file.</exception>
    public ColumnCursor(SafeFileHandle file, ThriftStruct chunk, ValueColumn column, SchemaNode node)
    {
        if (chunk.Text(1) is { Length: > 0 })
            throw new InvalidDataException("its columns lie in other files, which are not read");
        var description = chunk.Struct(3) ?? throw new InvalidDataException("a column has no description; perhaps the file is encrypted");
        (this.file, Column) = (file, column);
        (maxDefinition, maxRepetition) = (node.Definition, node.Repetition);
        codec = description.Integer(4) ?? 0;
        count = description.Integer(5) ?? 0;
        position = description.Integer(9) ?? 0;
        if (description.Integer(11) is > 0 and var first && first < position)
            position = first;
    }

    /// <summary>The column.</summary>
    public ValueColumn Column { get; }

    /// <summary>How much of the row the current value repeats: 0 where a row begins, and behind the last value.</summary>
    public int Repetition { get; private set; }

    /// <summary>How much of the current value is there: all when it is as high as the field's.</summary>
    public int Definition { get; private set; }

    /// <summary>The current value, when it is there.</summary>
    public ValueStream Value => values!;

    /// <summary>True behind the last value.</summary>
    public bool AtEnd { get; private set; }

    /// <summary>Goes on to the next value; the first time, to the first.</summary>
    /// <exception cref="InvalidDataException">The column's data is damaged.</exception>
    public void Next()
    {
        if (read == count)
        {
            (AtEnd, Repetition, Definition) = (true, 0, 0);
            return;
        }
        while (leftInPage == 0)
            ReadPage();
        (read, leftInPage) = (read + 1, leftInPage - 1);
        Repetition = maxRepetition > 0 ? repetitions.Next() : 0;
        Definition = maxDefinition > 0 ? definitions.Next() : 0;
        if (Definition == maxDefinition)
            values!.Next();
    }

    private void ReadPage()
    {
        var header = ReadHeader();
        var size = Size(header.Integer(2));
        var stored = Size(header.Integer(3));
        switch (header.Integer(1))
        {
            case 0:
                ReadStored(stored);
                Decompress(compressed.AsSpan(0, stored), size);
                BeginPage(header.Struct(5) ?? throw Damaged(), size);
                break;
            case 2:
                ReadStored(stored);
                // The dictionary outlives the pages, which take turns in one buffer.
                page = new byte[size];
                Decompress(compressed.AsSpan(0, stored), size);
                dictionary = new DictionaryValues(Column, page, header.Struct(7)?.Integer(1) ?? 0);
                page = [];
                break;
            case 3:
                ReadStored(stored);
                BeginPageOfSecondForm(header.Struct(8) ?? throw Damaged(), size, stored);
                break;
        }
        position += stored;
    }

    /// <summary>Nobody says how long a header is: a little is read, and more where that was not enough.</summary>
    private ThriftStruct ReadHeader()
    {
        for (var length = 256; ; length *= 16)
        {
            var bytes = new byte[length];
            var have = RandomAccess.Read(file, bytes, position);
            try
            {
                var header = ThriftStruct.Read(bytes.AsSpan(0, have), out var used);
                position += used;
                return header;
            }
            catch (EndOfStreamException) when (have == length && length < LargestHeader)
            {
            }
        }
    }

    private void ReadStored(int length)
    {
        if (compressed.Length < length)
            compressed = new byte[length];
        var have = 0;
        while (have < length)
        {
            var more = RandomAccess.Read(file, compressed.AsSpan(have, length - have), position + have);
            have += more > 0 ? more : throw new InvalidDataException("the file ends within a page");
        }
    }

    private void Decompress(ReadOnlySpan<byte> from, int size, int at = 0)
    {
        if (page.Length < at + size)
            Array.Resize(ref page, at + size);
        if (codec == 0)
            size = Math.Min(size, from.Length);
        Compression.Decompress(codec, codec == 0 ? from[..size] : from, page.AsSpan(at, size));
    }

    private void BeginPage(ThriftStruct header, int size)
    {
        leftInPage = Count(header);
        var at = 0;
        if (maxRepetition > 0)
            repetitions = Levels(header.Integer(4), maxRepetition, ref at, size);
        if (maxDefinition > 0)
            definitions = Levels(header.Integer(3), maxDefinition, ref at, size);
        values = ValueStream.Of(header.Integer(2) ?? 0, Column, page, at, size, dictionary);
    }

    /// <summary>
    /// Levels with their length before them; packed from the highest bit on, as the first writers did, they are not read.
    /// </summary>
    private RleIntegers Levels(long? encoding, int highest, ref int at, int size)
    {
        if (encoding is not (3 or null))
            throw new InvalidDataException($"its levels are encoded by the number {encoding}, which is not read");
        var length = size - at >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(page.AsSpan(at)) : throw Damaged();
        at += 4;
        if (length < 0 || length > size - at)
            throw Damaged();
        at += length;
        return new RleIntegers(page, at - length, at, WidthOf(highest));
    }

    /// <summary>Here levels are not compressed and stand before the values.</summary>
    private void BeginPageOfSecondForm(ThriftStruct header, int size, int stored)
    {
        leftInPage = Count(header);
        var (repetition, definition) = (Size(header.Integer(6) ?? 0), Size(header.Integer(5) ?? 0));
        var levels = checked(repetition + definition);
        if (levels > stored || levels > size)
            throw Damaged();
        if (page.Length < size)
            page = new byte[size];
        compressed.AsSpan(0, levels).CopyTo(page);
        if (header.Flag(7) ?? true)
            Decompress(compressed.AsSpan(levels, stored - levels), size - levels, levels);
        else if (stored == size)
            compressed.AsSpan(levels, stored - levels).CopyTo(page.AsSpan(levels));
        else
            throw Damaged();
        if (maxRepetition > 0)
            repetitions = new RleIntegers(page, 0, repetition, WidthOf(maxRepetition));
        if (maxDefinition > 0)
            definitions = new RleIntegers(page, repetition, levels, WidthOf(maxDefinition));
        values = ValueStream.Of(header.Integer(4) ?? 0, Column, page, levels, size, dictionary);
    }

    private static long Count(ThriftStruct header) => header.Integer(1) is >= 0 and var count ? count : throw Damaged();

    private static int WidthOf(int highest) => BitOperations.Log2((uint)highest) + 1;

    private static int Size(long? bytes) => bytes is >= 0 and <= LargestPage ? (int)bytes : throw Damaged();

    private static InvalidDataException Damaged() => new("the header of a page is damaged");
}
