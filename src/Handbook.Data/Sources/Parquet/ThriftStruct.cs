using System.Buffers.Binary;

namespace Handbook.Data.Sources.Parquet;

/// <summary>
/// A structure in Thrift's compact protocol, in which Parquet keeps everything but its values
/// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md): its fields by their numbers.
/// </summary>
internal sealed class ThriftStruct
{
    private const int DeepestNesting = 32;
    private readonly List<(int Id, object Value)> fields = [];

    /// <summary>Reads one from the front of some bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="length">How many of them it takes.</param>
    /// <exception cref="InvalidDataException">They hold no such structure.</exception>
    /// <exception cref="EndOfStreamException">They end before it does.</exception>
    public static ThriftStruct Read(ReadOnlySpan<byte> bytes, out int length)
    {
        var reader = new Reader(bytes);
        var result = reader.Struct(0);
        length = reader.Position;
        return result;
    }

    /// <summary>An integer, or null.</summary>
    public long? Integer(int id) => Find(id) is long value ? value : null;

    /// <summary>A truth value, or null.</summary>
    public bool? Flag(int id) => Find(id) is bool value ? value : null;

    /// <summary>A text, or null.</summary>
    public string? Text(int id) => Find(id) is byte[] bytes ? System.Text.Encoding.UTF8.GetString(bytes) : null;

    /// <summary>A structure, or null.</summary>
    public ThriftStruct? Struct(int id) => Find(id) as ThriftStruct;

    /// <summary>The structures of a list; none when it is missing.</summary>
    public IEnumerable<ThriftStruct> Structs(int id) => Find(id) is List<object> list ? list.OfType<ThriftStruct>() : [];

    /// <summary>The number of the first field: which member of a union it is; 0 when there is none.</summary>
    public int Member => fields.Count > 0 ? fields[0].Id : 0;

    private object? Find(int id) => fields.Find(field => field.Id == id).Value;

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> bytes = bytes;

        public int Position { get; private set; }

        public ThriftStruct Struct(int depth)
        {
            if (depth > DeepestNesting)
                throw new InvalidDataException("its description is nested too deeply");
            var result = new ThriftStruct();
            for (var id = 0; ;)
            {
                var head = Byte();
                if (head == 0)
                    return result;
                id = head >> 4 == 0 ? (int)Signed() : id + (head >> 4);
                result.fields.Add((id, Value(head & 0xF, depth, ofList: false)));
            }
        }

        private object Value(int type, int depth, bool ofList) => type switch
        {
            // Truth values of fields are in their type, those of lists are bytes.
            1 or 2 when ofList => Byte() == 1,
            1 => true,
            2 => false,
            3 => (long)(sbyte)Byte(),
            4 or 5 or 6 => Signed(),
            7 => BitConverter.Int64BitsToDouble(BinaryPrimitives.ReadInt64LittleEndian(Take(8))),
            8 => Take(Length()).ToArray(),
            9 or 10 => List(depth),
            11 => Map(depth),
            12 => Struct(depth + 1),
            _ => throw new InvalidDataException($"its description holds a value of the unknown type {type}"),
        };

        private List<object> List(int depth)
        {
            if (depth > DeepestNesting)
                throw new InvalidDataException("its description is nested too deeply");
            var head = Byte();
            var count = head >> 4 == 15 ? Length() : head >> 4;
            var items = new List<object>();
            for (var i = 0; i < count; i++)
                items.Add(Value(head & 0xF, depth + 1, ofList: true));
            return items;
        }

        private List<object> Map(int depth)
        {
            var count = Length();
            var types = count > 0 ? Byte() : 0;
            for (var i = 0; i < 2 * count; i++)
                Value(i % 2 == 0 ? types >> 4 : types & 0xF, depth + 1, ofList: true);
            return [];
        }

        private int Length()
        {
            var length = Unsigned();
            return length <= (ulong)(bytes.Length - Position) ? (int)length : throw new EndOfStreamException("its description ends early");
        }

        private long Signed()
        {
            var value = Unsigned();
            return (long)(value >> 1) ^ -(long)(value & 1);
        }

        private ulong Unsigned()
        {
            var value = 0UL;
            for (var shift = 0; shift < 70; shift += 7)
            {
                var next = Byte();
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                    return value;
            }
            throw new InvalidDataException("its description holds a number that is too long");
        }

        private int Byte() => Take(1)[0];

        private ReadOnlySpan<byte> Take(int count)
        {
            if (count > bytes.Length - Position)
                throw new EndOfStreamException("its description ends early");
            Position += count;
            return bytes.Slice(Position - count, count);
        }
    }
}
