using System.Buffers.Binary;
using Google.Protobuf;

namespace Handbook.Training.Tests.TensorBoard;

internal sealed record Event(double WallTime, long Step, string? FileVersion, int? SessionStatus, string? Tag, float Value);

/// <summary>Reads event files from the format's definition, with a CRC computed bit by bit: nothing is shared with the writer.</summary>
internal static class EventReader
{
    public static List<Event> Read(string path)
    {
        var events = new List<Event>();
        var bytes = File.ReadAllBytes(path).AsSpan();
        while (bytes.Length > 0)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            Assert.Equal(Mask(Crc(bytes[..8])), BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]));
            var data = bytes.Slice(12, length);
            Assert.Equal(Mask(Crc(data)), BinaryPrimitives.ReadUInt32LittleEndian(bytes[(12 + length)..]));
            events.Add(Parse(data.ToArray()));
            bytes = bytes[(16 + length)..];
        }
        return events;
    }

    public static uint Crc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
        }
        return ~crc;
    }

    public static uint Mask(uint crc) => ((crc >> 15) | (crc << 17)) + 0xa282ead8;

    private static Event Parse(byte[] data)
    {
        var read = new Event(0, 0, null, null, null, 0);
        var input = new CodedInputStream(data);
        while (input.ReadTag() is var tag and not 0)
        {
            read = (tag >> 3) switch
            {
                1 => read with { WallTime = input.ReadDouble() },
                2 => read with { Step = input.ReadInt64() },
                3 => read with { FileVersion = input.ReadString() },
                5 => Summary(read, input.ReadBytes()),
                7 => read with { SessionStatus = Status(input.ReadBytes()) },
                var field => throw new InvalidDataException($"field {field}"),
            };
        }
        return read;
    }

    private static Event Summary(Event read, ByteString bytes)
    {
        var summary = bytes.CreateCodedInput();
        Assert.Equal((1u << 3) | 2, summary.ReadTag());
        var value = summary.ReadBytes().CreateCodedInput();
        Assert.Equal((1u << 3) | 2, value.ReadTag());
        var tag = value.ReadString();
        Assert.Equal((2u << 3) | 5, value.ReadTag());
        return read with { Tag = tag, Value = value.ReadFloat() };
    }

    private static int Status(ByteString bytes)
    {
        var session = bytes.CreateCodedInput();
        Assert.Equal(1u << 3, session.ReadTag());
        return session.ReadEnum();
    }
}
