namespace Handbook.Data.Sources.Parquet;

/// <summary>
/// Small integers in runs and packed bits (https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE), one by one: a
/// run takes no memory, however long it claims to be.
/// </summary>
internal struct RleIntegers
{
    private readonly byte[] bytes;
    private readonly int end;
    private readonly int width;
    private int at;
    private long left;
    private bool isRun;
    private int run;
    private int bit;

    /// <summary>Reads integers of some bits' width from a part of a buffer.</summary>
    public RleIntegers(byte[] bytes, int start, int end, int width)
    {
        if (width is < 0 or > 32 || start < 0 || end > bytes.Length || start > end)
            throw new InvalidDataException("a page's levels or codes are damaged");
        (this.bytes, at, this.end, this.width) = (bytes, start, end, width);
    }

    /// <summary>The next integer.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public int Next()
    {
        if (left == 0)
            Begin();
        left--;
        return isRun ? run : Packed();
    }

    private void Begin()
    {
        if (width == 0)
        {
            (isRun, run, left) = (true, 0, long.MaxValue);
            return;
        }
        long head;
        do
        {
            head = Head();
            left = head >> 1;
        }
        while (left == 0);
        isRun = (head & 1) == 0;
        if (!isRun)
        {
            left *= 8;
            bit = 0;
            return;
        }
        run = 0;
        for (var i = 0; i < (width + 7) / 8; i++)
            run |= Byte() << (8 * i);
    }

    private long Head()
    {
        var value = 0L;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var next = Byte();
            value |= (long)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw new InvalidDataException("a page's levels or codes are damaged");
    }

    private int Packed()
    {
        var value = 0UL;
        var needed = (bit + width + 7) / 8;
        if (at + ((bit + width + 7) / 8) > end)
            throw new InvalidDataException("a page's levels or codes end early");
        for (var i = 0; i < needed; i++)
            value |= (ulong)bytes[at + i] << (8 * i);
        var result = (int)((value >> bit) & ((1UL << width) - 1));
        (at, bit) = (at + ((bit + width) / 8), (bit + width) % 8);
        return result;
    }

    private int Byte() => at < end ? bytes[at++] : throw new InvalidDataException("a page's levels or codes end early");
}
