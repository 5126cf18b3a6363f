using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Handbook.Data.Store;

namespace Handbook.Training.ReferenceStore;

/// <summary>
/// One file of a store, little-endian: mark, number of sequences, number of values; identity and label count of each sequence;
/// the values as float32; SHA-256 of all before it. It is there as a whole or not at all.
/// </summary>
internal sealed class LogpsChunk : IDisposable
{
    private const ulong Mark = 0x31_53_50_47_4F_4C_42_48; // "HBLOGPS1"
    private const int HeaderBytes = sizeof(ulong) + 2 * sizeof(int);
    private const int EntryBytes = SequenceIdentity.Size + sizeof(int);
    private const int HashedAtOnce = 1 << 20;
    private readonly StoreFile file;
    private readonly int sequences;
    private readonly int values;

    private LogpsChunk(StoreFile file, int sequences, int values) => (this.file, this.sequences, this.values) = (file, sequences, values);

    private long ValuesStart => HeaderBytes + (long)sequences * EntryBytes;

    /// <summary>Number of log-probabilities.</summary>
    public int ValueCount => values;

    /// <summary>Writes a file aside, flushes it and puts it in place.</summary>
    public static void Write(string path, IReadOnlyList<(UInt128 Identity, int Count)> sequences, ReadOnlySpan<float> values)
    {
        var bytes = new byte[HeaderBytes + sequences.Count * EntryBytes + values.Length * sizeof(float)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Mark);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(sizeof(ulong)), sequences.Count);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(sizeof(ulong) + sizeof(int)), values.Length);
        for (var i = 0; i < sequences.Count; i++)
        {
            var entry = bytes.AsSpan(HeaderBytes + i * EntryBytes);
            BinaryPrimitives.WriteUInt128LittleEndian(entry, sequences[i].Identity);
            BinaryPrimitives.WriteInt32LittleEndian(entry[SequenceIdentity.Size..], sequences[i].Count);
        }
        MemoryMarshal.AsBytes(values).CopyTo(bytes.AsSpan(HeaderBytes + sequences.Count * EntryBytes));
        AtomicFile.Write(path, stream =>
        {
            stream.Write(bytes);
            stream.Write(SHA256.HashData(bytes));
        });
    }

    /// <summary>Opens a file and checks every byte of it.</summary>
    /// <returns>Null with the reason when there is none or it is damaged.</returns>
    public static (LogpsChunk? Chunk, string? Fault) Open(string path)
    {
        if (!File.Exists(path))
            return (null, null);
        var file = new StoreFile(path);
        var fault = FaultOf(file);
        if (fault is not null)
        {
            file.Dispose();
            return (null, $"{Path.GetFileName(path)} {fault}");
        }
        var counts = file.Values<int>(sizeof(ulong), 2);
        return (new LogpsChunk(file, counts[0], counts[1]), null);
    }

    /// <summary>Its sequences: identity, index of the first value, number of values.</summary>
    public IEnumerable<(UInt128 Identity, int Start, int Count)> Sequences()
    {
        var start = 0;
        for (var i = 0; i < sequences; i++)
        {
            var (identity, count) = Entry(i);
            yield return (identity, start, count);
            start += count;
        }
    }

    /// <summary>Some of its log-probabilities.</summary>
    public ReadOnlySpan<float> Values(int start, int count) => file.Values<float>(ValuesStart + (long)start * sizeof(float), count);

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    private (UInt128 Identity, int Count) Entry(int index)
    {
        var entry = file.Values<byte>(HeaderBytes + (long)index * EntryBytes, EntryBytes);
        return (BinaryPrimitives.ReadUInt128LittleEndian(entry), BinaryPrimitives.ReadInt32LittleEndian(entry[SequenceIdentity.Size..]));
    }

    private static string? FaultOf(StoreFile file)
    {
        if (file.ByteCount < HeaderBytes + SHA256.HashSizeInBytes)
            return $"has {file.ByteCount} bytes";
        if (file.ByteCount > int.MaxValue)
            return "is too large";
        if (file.Values<ulong>(0, 1)[0] != Mark)
            return "is no file of reference log-probabilities";
        var length = (int)file.ByteCount - SHA256.HashSizeInBytes;
        return Hash(file, length).AsSpan().SequenceEqual(file.Values<byte>(length, SHA256.HashSizeInBytes))
            ? null
            : "is damaged: its SHA-256 differs from the one that it ends with";
    }

    private static byte[] Hash(StoreFile file, int length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var start = 0; start < length; start += HashedAtOnce)
            hash.AppendData(file.Values<byte>(start, Math.Min(HashedAtOnce, length - start)));
        return hash.GetHashAndReset();
    }
}
