using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Handbook.Training.TensorBoard;

/// <summary>
/// TensorFlow's record file format: length (uint64), its masked CRC, the bytes, their masked CRC (uint32), little-endian
/// (tensorflow/core/lib/io/record_writer.h).
/// </summary>
internal static class RecordFraming
{
    private const uint MaskDelta = 0xa282ead8;

    /// <summary>Puts <paramref name="data"/> between its header and footer.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> data)
    {
        var record = new byte[12 + data.Length + 4];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        data.CopyTo(record.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), MaskedCrc(data));
        return record;
    }

    /// <summary>CRC-32C of the data, rotated and offset so that a CRC over data that holds CRCs stays meaningful.</summary>
    public static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = ~Crc32C(data);
        return BitOperations.RotateRight(crc, 15) + MaskDelta;
    }

    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(data))
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (var rest in data[(data.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, rest);
        return crc;
    }
}
