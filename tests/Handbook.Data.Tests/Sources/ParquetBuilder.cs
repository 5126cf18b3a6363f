using System.Buffers.Binary;
using System.Text;

namespace Handbook.Data.Tests.Sources;

/// <summary>Builds Parquet files by hand: forms that the writer at hand does not write, and broken ones.</summary>
internal sealed class ParquetBuilder
{
    private readonly List<byte> file = [.. "PAR1"u8];
    private readonly List<byte[]> schema = [];
    private readonly List<byte[]> chunks = [];

    /// <summary>Adds a field to the schema: its type and repetition by Parquet's numbers, and how many children it has.</summary>
    public ParquetBuilder Field(string name, int? type, int repetition, int children = 0, int? converted = null)
    {
        var thrift = new Thrift();
        if (type is { } number)
            thrift.Integer(1, number);
        thrift.Integer(3, repetition).Text(4, name);
        if (children > 0)
            thrift.Integer(5, children);
        if (converted is { } meaning)
            thrift.Integer(6, meaning);
        schema.Add(thrift.Done());
        return this;
    }

    /// <summary>Adds a column's only page, uncompressed: in the first form, or the second with levels before the values.</summary>
    public ParquetBuilder Column(
        int type, int count, int encoding, byte[] values, byte[]? repetitions = null, byte[]? definitions = null, bool second = false)
    {
        byte[] levels = second ? [.. repetitions ?? [], .. definitions ?? []] : [.. Sized(repetitions), .. Sized(definitions)];
        var header = second
            ? new Thrift().Integer(1, count).Integer(2, 0).Integer(3, count).Integer(4, encoding).Integer(5, definitions?.Length ?? 0)
                .Integer(6, repetitions?.Length ?? 0).Flag(7, false)
            : new Thrift().Integer(1, count).Integer(2, encoding).Integer(3, 3).Integer(4, 3);
        var size = levels.Length + values.Length;
        var start = file.Count;
        file.AddRange(new Thrift().Integer(1, second ? 3 : 0).Integer(2, size).Integer(3, size).Struct(second ? 8 : 5, header.Done())
            .Done());
        file.AddRange([.. levels, .. values]);
        var description = new Thrift().Integer(1, type).Integer(4, 0).Integer(5, count).Integer(6, size).Integer(7, file.Count - start)
            .Integer(9, start).Done();
        chunks.Add(new Thrift().Struct(3, description).Done());
        return this;
    }

    /// <summary>The file, with one row group of so many rows.</summary>
    public byte[] Build(int columns, long rows)
    {
        var root = new Thrift().Text(4, "root").Integer(5, columns).Done();
        var group = new Thrift().Structs(1, chunks).Integer(3, rows).Done();
        var footer = new Thrift().Integer(1, 1).Structs(2, [root, .. schema]).Integer(3, rows).Structs(4, [group]).Done();
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, footer.Length);
        return [.. file, .. footer, .. length, .. "PAR1"u8];
    }

    /// <summary>Texts as they are, each with its length before it.</summary>
    public static byte[] Texts(params string[] texts) => [.. texts.SelectMany(text => Sized(Encoding.UTF8.GetBytes(text)))];

    /// <summary>Levels of one bit or more, each as a run of one.</summary>
    public static byte[] Levels(params int[] levels) => [.. levels.SelectMany(level => new byte[] { 2, (byte)level })];

    private static byte[] Sized(byte[]? bytes)
    {
        if (bytes is null)
            return [];
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return [.. length, .. bytes];
    }

    /// <summary>Thrift's compact protocol, as much of it as is needed.</summary>
    private sealed class Thrift
    {
        private readonly List<byte> bytes = [];
        private int last;

        public Thrift Integer(int id, long value) => Head(id, 6).Number((ulong)((value << 1) ^ (value >> 63)));

        public Thrift Flag(int id, bool value) => Head(id, value ? 1 : 2);

        public Thrift Text(int id, string text)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            Head(id, 8).Number((ulong)utf8.Length);
            bytes.AddRange(utf8);
            return this;
        }

        public Thrift Struct(int id, byte[] value)
        {
            Head(id, 12);
            bytes.AddRange(value);
            return this;
        }

        public Thrift Structs(int id, List<byte[]> values)
        {
            Head(id, 9);
            bytes.Add(0xFC);
            Number((ulong)values.Count);
            bytes.AddRange(values.SelectMany(value => value));
            return this;
        }

        public byte[] Done() => [.. bytes, 0];

        private Thrift Head(int id, int type)
        {
            bytes.Add((byte)(((id - last) << 4) | type));
            last = id;
            return this;
        }

        private Thrift Number(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                bytes.Add((byte)(value | 0x80));
            bytes.Add((byte)value);
            return this;
        }
    }
}
