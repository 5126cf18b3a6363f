using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Handbook.Gguf.Format;

/// <summary>The keys and values of a GGUF file, in the order in which they are added.</summary>
internal sealed class GgufMetadata
{
    private readonly ArrayBufferWriter<byte> bytes = new();
    private readonly HashSet<string> keys = [];

    /// <summary>Types of values (<c>gguf_type</c>).</summary>
    private enum Kind : uint { Byte = 0, UInt32 = 4, Int32 = 5, Float32 = 6, Flag = 7, Text = 8, List = 9 }

    /// <summary>Number of keys.</summary>
    public int Count => keys.Count;

    /// <summary>Keys and values as the file holds them.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.WrittenSpan;

    /// <summary>Adds a whole number.</summary>
    public void Add(string key, int value)
    {
        Begin(key, Kind.UInt32);
        Write(bytes, (uint)value);
    }

    /// <summary>Adds a number.</summary>
    public void Add(string key, double value)
    {
        Begin(key, Kind.Float32);
        BinaryPrimitives.WriteSingleLittleEndian(bytes.GetSpan(4), (float)value);
        bytes.Advance(4);
    }

    /// <summary>Adds a yes or no.</summary>
    public void Add(string key, bool value)
    {
        Begin(key, Kind.Flag);
        bytes.Write([value ? (byte)1 : (byte)0]);
    }

    /// <summary>Adds a text.</summary>
    public void Add(string key, string value)
    {
        Begin(key, Kind.Text);
        Write(bytes, value);
    }

    /// <summary>Adds a list of texts.</summary>
    public void Add(string key, IReadOnlyCollection<string> values)
    {
        BeginList(key, Kind.Text, values.Count);
        foreach (var value in values)
            Write(bytes, value);
    }

    /// <summary>Adds a list of whole numbers.</summary>
    public void Add(string key, ReadOnlySpan<int> values) => AddList(key, Kind.Int32, values);

    /// <summary>Adds a list of numbers.</summary>
    public void Add(string key, ReadOnlySpan<float> values) => AddList(key, Kind.Float32, values);

    /// <summary>Adds a list of bytes.</summary>
    public void Add(string key, ReadOnlySpan<byte> values) => AddList(key, Kind.Byte, values);

    /// <summary>Writes a text: its length in bytes, then UTF-8.</summary>
    internal static void Write(IBufferWriter<byte> target, string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Write(target, (ulong)length);
        Encoding.UTF8.GetBytes(text, target);
    }

    internal static void Write(IBufferWriter<byte> target, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target.GetSpan(4), value);
        target.Advance(4);
    }

    internal static void Write(IBufferWriter<byte> target, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target.GetSpan(8), value);
        target.Advance(8);
    }

    // Elements as this machine holds them: libtorch runs on little-endian machines only.
    private void AddList<T>(string key, Kind kind, ReadOnlySpan<T> values) where T : unmanaged
    {
        BeginList(key, kind, values.Length);
        bytes.Write(MemoryMarshal.AsBytes(values));
    }

    private void BeginList(string key, Kind kind, int count)
    {
        Begin(key, Kind.List);
        Write(bytes, (uint)kind);
        Write(bytes, (ulong)count);
    }

    private void Begin(string key, Kind kind)
    {
        if (!keys.Add(key))
            throw new ArgumentException($"{key} is added twice.", nameof(key));
        Write(bytes, key);
        Write(bytes, (uint)kind);
    }
}
