namespace Handbook.Data.Sources.Parquet;

/// <summary>
/// Integers as differences in blocks, each with its smallest difference and packed bits
/// (https://parquet.apache.org/docs/file-format/data-pages/encodings/#DELTAENC).
/// </summary>
internal sealed class DeltaStream : ValueStream
{
    private readonly byte[] page;
    private readonly int end;
    private readonly int perMiniblock;
    private readonly int[] widths;
    private readonly long count;
    private int at;
    private long read;
    private long smallest;
    private int miniblock;
    private int inMiniblock;
    private long bit;

    public DeltaStream(byte[] page, int start, int end)
    {
        (this.page, at, this.end) = (page, start, end);
        var block = Unsigned();
        var miniblocks = Unsigned();
        count = (long)Unsigned();
        Bits = Signed();
        if (miniblocks is 0 or > 1024 || block is 0 or > 1 << 24 || block % miniblocks != 0 || block / miniblocks % 8 != 0 || count < 0)
            throw Damaged();
        perMiniblock = (int)(block / miniblocks);
        widths = new int[miniblocks];
        (miniblock, inMiniblock) = (widths.Length, perMiniblock);
    }

    /// <summary>How many there are.</summary>
    public long Count => count;

    /// <summary>Where the bytes behind all of them begin; only behind the last of them.</summary>
    public int Behind()
    {
        while (read < count)
            Next();
        // What is left of the last miniblock is filled up; those behind it are not there.
        if (count > 1 && inMiniblock > 0)
            at = checked((int)Math.Min(end, at + ((long)perMiniblock * widths[miniblock] / 8)));
        return at;
    }

    public override void Next()
    {
        if (read >= count)
            throw Damaged();
        if (read++ == 0)
            return;
        if (inMiniblock == perMiniblock)
            BeginMiniblock();
        inMiniblock++;
        Bits = unchecked(Bits + smallest + Packed(widths[miniblock]));
    }

    private void BeginMiniblock()
    {
        if (miniblock < widths.Length)
            at += perMiniblock * widths[miniblock] / 8;
        if (++miniblock >= widths.Length)
        {
            smallest = Signed();
            for (var i = 0; i < widths.Length; i++)
                widths[i] = at < end && page[at] <= 64 ? page[at++] : throw Damaged();
            miniblock = 0;
        }
        (inMiniblock, bit) = (0, 0);
    }

    private long Packed(int width)
    {
        var value = 0UL;
        for (var have = 0; have < width;)
        {
            var index = at + (int)(bit / 8);
            if (index >= end)
                throw Damaged();
            var inByte = (int)(bit % 8);
            var take = Math.Min(8 - inByte, width - have);
            value |= (ulong)((page[index] >> inByte) & ((1 << take) - 1)) << have;
            (have, bit) = (have + take, bit + take);
        }
        return (long)value;
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
            var next = at < end ? page[at++] : throw Damaged();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw Damaged();
    }
}

/// <summary>Texts behind the list of their lengths.</summary>
internal sealed class DeltaLengthStream : ValueStream
{
    private readonly DeltaStream lengths;
    private readonly int end;

    public DeltaLengthStream(byte[] page, int start, int end)
    {
        lengths = new DeltaStream(page, start, end);
        (Buffer, Start, this.end) = (page, new DeltaStream(page, start, end).Behind(), end);
    }

    public override void Next()
    {
        lengths.Next();
        var start = Start + Length;
        if (lengths.Bits < 0 || lengths.Bits > end - start)
            throw Damaged();
        (Start, Length) = (start, (int)lengths.Bits);
    }
}

/// <summary>Texts of which each begins as the one before it does, for a length that is told.</summary>
internal sealed class DeltaBytesStream : ValueStream
{
    private const int Longest = 1 << 30;
    private readonly DeltaStream prefixes;
    private readonly DeltaLengthStream suffixes;

    public DeltaBytesStream(byte[] page, int start, int end)
    {
        prefixes = new DeltaStream(page, start, end);
        suffixes = new DeltaLengthStream(page, new DeltaStream(page, start, end).Behind(), end);
    }

    public override void Next()
    {
        prefixes.Next();
        suffixes.Next();
        var suffix = suffixes.Bytes;
        if (prefixes.Bits < 0 || prefixes.Bits > Length || prefixes.Bits + suffix.Length > Longest)
            throw Damaged();
        var prefix = (int)prefixes.Bits;
        if (Buffer.Length < prefix + suffix.Length)
        {
            var larger = new byte[Math.Max(256, 2 * (prefix + suffix.Length))];
            Buffer.AsSpan(0, prefix).CopyTo(larger);
            Buffer = larger;
        }
        suffix.CopyTo(Buffer.AsSpan(prefix));
        Length = prefix + suffix.Length;
    }
}
