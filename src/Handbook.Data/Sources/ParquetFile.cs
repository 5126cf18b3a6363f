using System.Buffers.Binary;
using Handbook.Data.Sources.Parquet;
using Microsoft.Win32.SafeHandles;

namespace Handbook.Data.Sources;

/// <summary>
/// A Parquet file (https://parquet.apache.org/docs/file-format/); nested lists and structs become JSON. Rows come one by one, with one
/// page of each column in memory: what is needed follows the size of pages, not how many rows or columns there are.
/// </summary>
public sealed class ParquetFile(string path, SourceOptions options) : IRowFile
{
    private const int LargestFooter = 32 << 20;

    /// <inheritdoc/>
    public string Path => path;

    /// <summary>The columns in the file's order.</summary>
    public IReadOnlyList<string> Columns() => DataFile.Guard(path, () =>
    {
        using var file = OrdinaryFile.Open(path, bufferSize: 0);
        return Schema(Footer(file.SafeFileHandle)).Top.Select(field => field.Name).ToList();
    });

    /// <inheritdoc/>
    public long Count() => DataFile.Guard(path, () =>
    {
        using var file = OrdinaryFile.Open(path, bufferSize: 0);
        return Footer(file.SafeFileHandle).Structs(4).Sum(Rows);
    });

    /// <inheritdoc/>
    public IEnumerable<SourceRow> Read(Predicate<long>? wanted) => DataFile.Guarded(path, ReadGroups(wanted));

    private IEnumerable<SourceRow> ReadGroups(Predicate<long>? wanted)
    {
        using var file = OrdinaryFile.Open(path, bufferSize: 0);
        var footer = Footer(file.SafeFileHandle);
        var schema = Schema(footer);
        var kept = options.Kept(path, [.. schema.Top.Select(field => field.Name)]);
        var fields = schema.Top.Where((_, i) => kept[i]).ToList();
        var index = 0L;
        foreach (var group in footer.Structs(4))
        {
            var start = index;
            index += Rows(group);
            var chosen = Numbers(start, index).Where(number => wanted is null || wanted(number));
            // A group of which nothing is wanted is not opened.
            if (!chosen.Any())
                continue;
            using var rows = new RowAssembler(fields, Cursors(file.SafeFileHandle, group, schema, fields));
            var passed = start;
            foreach (var number in chosen)
            {
                for (; passed < number; passed++)
                    rows.Skip();
                passed++;
                yield return Row(rows.Read(), number);
            }
        }
    }

    private static IEnumerable<long> Numbers(long first, long end)
    {
        for (; first < end; first++)
            yield return first;
    }

    private SourceRow Row((byte[] Json, string? Problem) row, long index)
    {
        var place = new RowPlace(path, index + 1, IsLine: false);
        return row.Problem is not null ? new SourceRow(default, place, index, row.Problem)
            : row.Json.Length > options.MaxRowBytes
                ? new SourceRow(default, place, index, JsonLinesFile.TooLong(row.Json.Length, options.MaxRowBytes))
            : new SourceRow(row.Json, place, index);
    }

    private static ColumnCursor?[] Cursors(SafeFileHandle file, ThriftStruct group, ParquetSchema schema, List<SchemaNode> fields)
    {
        var chunks = group.Structs(1).ToList();
        if (chunks.Count != schema.Columns.Count)
            throw new InvalidDataException($"a row group has {chunks.Count} columns of values, the schema {schema.Columns.Count}");
        var cursors = new ColumnCursor?[chunks.Count];
        foreach (var column in fields.SelectMany(field => Enumerable.Range(field.FirstColumn, field.ColumnCount)))
            cursors[column] = new ColumnCursor(file, chunks[column], schema.Columns[column].Column, schema.Columns[column].Node);
        return cursors;
    }

    private static long Rows(ThriftStruct group) =>
        group.Integer(3) is >= 0 and var rows ? rows : throw new InvalidDataException("a row group does not say how many rows it has");

    private static ParquetSchema Schema(ThriftStruct footer) => new(footer.Structs(2));

    /// <summary>The description at the end of the file: its length and four letters are the last eight bytes.</summary>
    private static ThriftStruct Footer(SafeFileHandle file)
    {
        var length = RandomAccess.GetLength(file);
        var tail = Bytes(file, length - 8, 8);
        if (!tail.AsSpan(4).SequenceEqual("PAR1"u8))
        {
            throw new InvalidDataException(tail.AsSpan(4).SequenceEqual("PARE"u8)
                ? "it is encrypted" : "it does not end as a Parquet file does (PAR1); perhaps it was cut short");
        }
        var size = BinaryPrimitives.ReadUInt32LittleEndian(tail);
        if (size > LargestFooter || size + 8 > length)
            throw new InvalidDataException(FormattableString.Invariant(
                $"its description should have {size} bytes, which is more than can be"));
        return ThriftStruct.Read(Bytes(file, length - 8 - size, (int)size), out _);
    }

    private static byte[] Bytes(SafeFileHandle file, long at, int count)
    {
        var bytes = new byte[count];
        return at >= 0 && RandomAccess.Read(file, bytes, at) == count ? bytes : throw new InvalidDataException("it ends early");
    }
}
