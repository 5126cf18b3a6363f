using System.Buffers.Binary;

namespace Handbook.Data.Sources;

/// <summary>
/// Looks through the schema of an Arrow file before the library reads it: there, columns that lie within themselves or are nested without
/// end exhaust the stack, which nothing catches. (FlatBuffers: tables refer to vectors and vectors to tables, by offsets that a
/// damaged file may bend back.)
/// </summary>
internal static class ArrowSchemaCheck
{
    private const int DeepestNesting = 100;
    private const int MostFields = 1 << 20;
    private const int LargestDescription = 64 << 20;

    // Places of the members in their tables: https://github.com/apache/arrow/tree/main/format, Schema.fbs, Message.fbs and File.fbs.
    private const int MessageHeader = 2, FooterSchema = 1, SchemaFields = 1, FieldChildren = 5;

    /// <summary>Checks the stream's schema message, or the file's footer; the position afterwards is where it was.</summary>
    /// <exception cref="InvalidDataException">The schema cannot be read.</exception>
    public static void Check(Stream stream, bool isFile)
    {
        var start = stream.Position;
        var description = isFile ? Footer(stream) : FirstMessage(stream);
        stream.Position = start;
        if (description.Length == 0)
            return;
        var table = Table(description, 0, isFile ? FooterSchema : MessageHeader);
        var left = MostFields;
        if (table >= 0)
            CheckFields(description, table, SchemaFields, DeepestNesting, ref left);
    }

    private static void CheckFields(ReadOnlySpan<byte> bytes, int table, int member, int depth, ref int left)
    {
        var vector = Follow(bytes, table, member);
        if (vector < 0)
            return;
        var count = Integer(bytes, vector);
        left -= count;
        if (depth == 0 || count < 0 || left < 0)
            throw new InvalidDataException("its columns are nested too deeply, or too many");
        for (var i = 0; i < count; i++)
        {
            var at = vector + 4 + (4 * i);
            CheckFields(bytes, checked(at + Integer(bytes, at)), FieldChildren, depth - 1, ref left);
        }
    }

    /// <summary>The table that a member of the table at a place's offset refers to, or -1.</summary>
    private static int Table(ReadOnlySpan<byte> bytes, int place, int member) =>
        Follow(bytes, checked(place + Integer(bytes, place)), member);

    /// <summary>What a member of a table refers to, or -1 when it is missing.</summary>
    private static int Follow(ReadOnlySpan<byte> bytes, int table, int member)
    {
        var members = checked(table - Integer(bytes, table));
        if (Short(bytes, members) < 6 + (2 * member) || Short(bytes, members + 4 + (2 * member)) is not (> 0 and var offset))
            return -1;
        return checked(table + offset + Integer(bytes, table + offset));
    }

    private static byte[] FirstMessage(Stream stream)
    {
        var length = ReadInteger(stream);
        if (length == -1)
            length = ReadInteger(stream);
        return Read(stream, length);
    }

    private static byte[] Footer(Stream stream)
    {
        stream.Position = Math.Max(0, stream.Length - 10);
        var length = ReadInteger(stream);
        stream.Position = Math.Max(0, stream.Length - 10 - Math.Max(0, length));
        return Read(stream, length);
    }

    private static byte[] Read(Stream stream, int length)
    {
        if (length is < 0 or > LargestDescription || length > stream.Length - stream.Position)
            throw new InvalidDataException("the description of its columns is damaged");
        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static int ReadInteger(Stream stream)
    {
        Span<byte> bytes = stackalloc byte[4];
        return stream.ReadAtLeast(bytes, 4, throwOnEndOfStream: false) == 4 ? BinaryPrimitives.ReadInt32LittleEndian(bytes) : 0;
    }

    private static int Integer(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(From(bytes, at));

    private static int Short(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(From(bytes, at));

    private static ReadOnlySpan<byte> From(ReadOnlySpan<byte> bytes, int at) =>
        at >= 0 && at <= bytes.Length - 4 ? bytes[at..] : throw new InvalidDataException("the description of its columns is damaged");
}
