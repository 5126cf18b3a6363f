using System.Text;

namespace Handbook.Gguf.Tests.Format;

/// <summary>Reads GGUF files by the book, on its own: what the writer is held to.</summary>
internal sealed class GgufReader
{
    public GgufReader(string path)
    {
        var bytes = File.ReadAllBytes(path);
        using var reader = new BinaryReader(new MemoryStream(bytes));
        Assert.Equal("GGUF", Encoding.ASCII.GetString(reader.ReadBytes(4)));
        Assert.Equal(3u, reader.ReadUInt32());
        var (tensors, keys) = (reader.ReadInt64(), reader.ReadInt64());
        for (; keys > 0; keys--)
        {
            var key = Text(reader);
            Keys.Add(key, Value(reader, reader.ReadUInt32()));
        }
        var places = new List<(string Name, long[] Sizes, uint Type, long Offset)>();
        for (; tensors > 0; tensors--)
            places.Add((Text(reader), Sizes(reader), reader.ReadUInt32(), reader.ReadInt64()));
        var start = (reader.BaseStream.Position + 31) / 32 * 32;
        foreach (var (i, place) in places.Index())
        {
            Assert.Equal(0, place.Offset % 32);
            var end = i + 1 < places.Count ? start + places[i + 1].Offset : bytes.Length;
            Tensors.Add(place.Name, new Entry(place.Sizes, place.Type, bytes.AsMemory((int)(start + place.Offset)..(int)end)));
        }
    }

    public Dictionary<string, object> Keys { get; } = [];

    public Dictionary<string, Entry> Tensors { get; } = [];

    private static long[] Sizes(BinaryReader reader) => [.. Enumerable.Range(0, (int)reader.ReadUInt32()).Select(_ => reader.ReadInt64())];

    private static string Text(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadInt64()));

    private static object Value(BinaryReader reader, uint type) => type switch
    {
        0 => reader.ReadByte(),
        4 => (int)reader.ReadUInt32(),
        5 => reader.ReadInt32(),
        6 => reader.ReadSingle(),
        7 => reader.ReadByte() switch { 0 => false, 1 => true, var other => throw new InvalidDataException($"{other} is no flag.") },
        8 => Text(reader),
        9 => List(reader),
        _ => throw new InvalidDataException($"Type {type} of a value is not written."),
    };

    private static object[] List(BinaryReader reader)
    {
        var type = reader.ReadUInt32();
        return [.. Enumerable.Range(0, (int)reader.ReadInt64()).Select(_ => Value(reader, type))];
    }

    /// <summary>A tensor: sizes with the shortest step first, ggml's type, and the bytes up to the next tensor.</summary>
    public sealed record Entry(long[] Sizes, uint Type, ReadOnlyMemory<byte> Padded);
}
