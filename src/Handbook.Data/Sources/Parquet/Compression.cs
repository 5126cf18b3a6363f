using System.Buffers.Binary;
using System.IO.Compression;
using ZstdSharp;

namespace Handbook.Data.Sources.Parquet;

/// <summary>Decompresses pages: each codec into a space whose size the page's header told.</summary>
internal static class Compression
{
    /// <summary>Decompresses into the whole of a span.</summary>
    /// <exception cref="InvalidDataException">The codec is unknown, or the data is damaged or of another size.</exception>
    public static void Decompress(long codec, ReadOnlySpan<byte> from, Span<byte> into)
    {
        var count = codec switch
        {
            0 => Copy(from, into),
            1 => Snappy(from, into),
            2 => Gzip(from, into),
            4 => BrotliDecoder.TryDecompress(from, into, out var written) ? written : -1,
            5 => HadoopLz4(from, into),
            6 => Zstandard(from, into),
            7 => Lz4(from, into),
            _ => throw new InvalidDataException($"its pages are compressed by the codec number {codec}, which is not read"),
        };
        if (count != into.Length)
            throw Damaged();
    }

    private static int Copy(ReadOnlySpan<byte> from, Span<byte> into) => from.TryCopyTo(into) ? from.Length : -1;

    private static int Gzip(ReadOnlySpan<byte> from, Span<byte> into)
    {
        using var stream = new GZipStream(new MemoryStream(from.ToArray()), CompressionMode.Decompress);
        return stream.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
    }

    private static int Zstandard(ReadOnlySpan<byte> from, Span<byte> into)
    {
        using var decompressor = new Decompressor();
        return decompressor.TryUnwrap(from, into, out var written) ? written : -1;
    }

    /// <summary>https://github.com/google/snappy/blob/main/format_description.txt.</summary>
    private static int Snappy(ReadOnlySpan<byte> from, Span<byte> into)
    {
        var at = 0;
        while (at < from.Length && from[at++] >= 0x80)
        {
            // The length, which the page's header has told.
        }
        var end = 0;
        while (at < from.Length)
        {
            var tag = from[at++];
            var length = (tag >> 2) + 1;
            if ((tag & 3) == 0)
            {
                var extra = Math.Max(0, length - 60);
                length = extra == 0 ? length : Little(from, at, extra) + 1;
                at += extra;
                end = Literal(from, ref at, into, end, length);
                continue;
            }
            var width = (tag & 3) switch { 1 => 1, 2 => 2, _ => 4 };
            var offset = Little(from, at, width);
            at += width;
            if (width == 1)
                (length, offset) = (((tag >> 2) & 7) + 4, offset | ((tag >> 5) << 8));
            end = Repeat(into, end, offset, length);
        }
        return end;
    }

    /// <summary>Blocks with their sizes before them, as Hadoop wrote them; else one bare block.</summary>
    private static int HadoopLz4(ReadOnlySpan<byte> from, Span<byte> into)
    {
        var (at, end) = (0, 0);
        while (at + 8 <= from.Length)
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(from[at..]);
            var compressed = BinaryPrimitives.ReadInt32BigEndian(from[(at + 4)..]);
            if (size < 0 || size > into.Length - end || compressed < 0 || compressed > from.Length - at - 8)
                return Lz4(from, into);
            if (Lz4(from.Slice(at + 8, compressed), into.Slice(end, size)) != size)
                return -1;
            (at, end) = (at + 8 + compressed, end + size);
        }
        return at == from.Length ? end : Lz4(from, into);
    }

    /// <summary>https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md.</summary>
    private static int Lz4(ReadOnlySpan<byte> from, Span<byte> into)
    {
        var (at, end) = (0, 0);
        while (at < from.Length)
        {
            var token = from[at++];
            end = Literal(from, ref at, into, end, Lz4Length(from, ref at, token >> 4));
            if (at == from.Length)
                break;
            var offset = Little(from, at, 2);
            at += 2;
            end = Repeat(into, end, offset, checked(Lz4Length(from, ref at, token & 15) + 4));
        }
        return end;
    }

    private static int Lz4Length(ReadOnlySpan<byte> from, ref int at, int length)
    {
        if (length < 15)
            return length;
        byte more;
        do
        {
            more = at < from.Length ? from[at++] : throw Damaged();
            length = checked(length + more);
        }
        while (more == 255);
        return length;
    }

    private static int Literal(ReadOnlySpan<byte> from, ref int at, Span<byte> into, int end, int length)
    {
        if (length < 0 || length > from.Length - at || length > into.Length - end)
            throw Damaged();
        from.Slice(at, length).CopyTo(into[end..]);
        at += length;
        return end + length;
    }

    private static int Repeat(Span<byte> into, int end, int offset, int length)
    {
        if (offset <= 0 || offset > end || length > into.Length - end)
            throw Damaged();
        // What is repeated may run into what is being written: so much at once as is there already.
        for (var rest = length; rest > 0;)
        {
            var piece = Math.Min(offset, rest);
            into.Slice(end - offset, piece).CopyTo(into[end..]);
            (end, rest) = (end + piece, rest - piece);
        }
        return end;
    }

    private static int Little(ReadOnlySpan<byte> from, int at, int width)
    {
        if (width > from.Length - at)
            throw Damaged();
        var value = 0;
        for (var i = 0; i < width; i++)
            value |= from[at + i] << (8 * i);
        return value;
    }

    private static InvalidDataException Damaged() => new("the compressed data of a page is damaged");
}
