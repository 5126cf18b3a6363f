using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Handbook.Templates.Values;

/// <summary><c>str.encode</c> and <c>bytes.decode</c> in Unicode's encodings, ASCII and Latin-1.</summary>
internal static class Codecs
{
    private static readonly Signature Signature = new("encode", 0, "encoding", "errors");

    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["utf-8"] = "utf-8", ["utf8"] = "utf-8", ["u8"] = "utf-8", ["utf"] = "utf-8", ["utf-8-sig"] = "utf-8-sig",
        ["ascii"] = "ascii", ["us-ascii"] = "ascii", ["646"] = "ascii",
        ["latin-1"] = "latin-1", ["latin1"] = "latin-1", ["latin"] = "latin-1", ["iso-8859-1"] = "latin-1", ["iso8859-1"] = "latin-1",
        ["8859"] = "latin-1", ["l1"] = "latin-1",
        ["utf-16"] = "utf-16", ["utf16"] = "utf-16", ["u16"] = "utf-16", ["utf-16-le"] = "utf-16-le", ["utf-16le"] = "utf-16-le",
        ["utf-16-be"] = "utf-16-be", ["utf-16be"] = "utf-16-be",
        ["utf-32"] = "utf-32", ["utf32"] = "utf-32", ["u32"] = "utf-32", ["utf-32-le"] = "utf-32-le", ["utf-32le"] = "utf-32-le",
        ["utf-32-be"] = "utf-32-be", ["utf-32be"] = "utf-32-be",
    };

    /// <summary><c>text.encode(encoding, errors)</c>.</summary>
    public static BytesValue Encode(RenderContext context, string text, Arguments arguments)
    {
        var (codec, errors) = Bind(arguments);
        Budget.Walk(text.Length * 2L);
        var result = new ArrayBufferWriter<byte>(text.Length + 4);
        result.Write(Mark(codec));
        var position = 0;
        for (var i = 0; i < text.Length; position++)
        {
            var units = CodePoints.UnitsAt(text, i);
            var point = units == 2 ? char.ConvertToUtf32(text[i], text[i + 1]) : text[i];
            if (!TryWrite(codec, point, result))
                Substitute(codec, point, position, errors, result);
            i += units;
        }
        context.CheckLength(result.WrittenCount);
        return new BytesValue(result.WrittenSpan);
    }

    private static (string Codec, string Errors) Bind(Arguments arguments)
    {
        var values = Signature.Bind(arguments);
        var name = Given(values[0], "utf-8");
        var codec = Names.GetValueOrDefault(name.ToLowerInvariant().Replace('_', '-').Replace(' ', '-'))
            ?? throw new PythonError("LookupError", $"unknown encoding: {name}");
        return (codec, Given(values[1], "strict"));
    }

    private static string Given(object? value, string missing) => value == Values.Signature.Missing ? missing
        : Operations.AsText(value) ?? throw PythonError.Type($"encode() argument must be str, not {PythonText.TypeName(value)}");

    /// <summary>The byte order mark that an encoding begins with.</summary>
    private static ReadOnlySpan<byte> Mark(string codec) => codec switch
    {
        "utf-8-sig" => [0xEF, 0xBB, 0xBF],
        "utf-16" => [0xFF, 0xFE],
        "utf-32" => [0xFF, 0xFE, 0, 0],
        _ => [],
    };

    private static bool TryWrite(string codec, int point, ArrayBufferWriter<byte> result)
    {
        var isSurrogate = point is >= 0xD800 and <= 0xDFFF;
        if (isSurrogate || (codec == "ascii" && point > 0x7F) || (codec == "latin-1" && point > 0xFF))
            return false;
        var bytes = result.GetSpan(4);
        if (codec is "ascii" or "latin-1")
        {
            bytes[0] = (byte)point;
            result.Advance(1);
        }
        else if (codec.StartsWith("utf-8", StringComparison.Ordinal))
        {
            result.Advance(new Rune(point).EncodeToUtf8(bytes));
        }
        else if (codec.StartsWith("utf-32", StringComparison.Ordinal))
        {
            WriteUnit(bytes, (uint)point, 4, codec);
            result.Advance(4);
        }
        else
        {
            Span<char> units = stackalloc char[2];
            var count = new Rune(point).EncodeToUtf16(units);
            for (var i = 0; i < count; i++)
                WriteUnit(bytes[(i * 2)..], units[i], 2, codec);
            result.Advance(count * 2);
        }
        return true;
    }

    private static void WriteUnit(Span<byte> bytes, uint unit, int size, string codec)
    {
        for (var i = 0; i < size; i++)
            bytes[codec.EndsWith("be", StringComparison.Ordinal) ? size - 1 - i : i] = (byte)(unit >> (i * 8));
    }

    private static void Substitute(string codec, int point, int position, string errors, ArrayBufferWriter<byte> result)
    {
        var text = errors switch
        {
            "ignore" => "",
            "replace" => "?",
            "xmlcharrefreplace" => string.Create(CultureInfo.InvariantCulture, $"&#{point};"),
            "backslashreplace" => PythonText.HexadecimalEscape(point),
            "strict" => throw new PythonError("UnicodeEncodeError",
                $"'{Shown(codec)}' codec can't encode character "
                    + $"'{PythonText.HexadecimalEscape(point)}' in position {position}: {Reason(codec)}"),
            _ => throw new PythonError("LookupError", $"unknown error handler name '{errors}'"),
        };
        foreach (var unit in text)
            TryWrite(codec, unit, result);
    }

    private static string Shown(string codec) => codec == "utf-8-sig" ? "utf-8" : codec;

    private static string Reason(string codec) => codec switch
    {
        "ascii" => "ordinal not in range(128)",
        "latin-1" => "ordinal not in range(256)",
        _ => "surrogates not allowed",
    };

    /// <summary><c>bytes.decode(encoding, errors)</c>.</summary>
    public static string Decode(RenderContext context, BytesValue value, Arguments arguments)
    {
        var (codec, errors) = Bind(arguments);
        ReadOnlySpan<byte> bytes = value.ToArray();
        context.Charge(bytes.Length / 2);
        var order = codec;
        if (codec is "utf-16" or "utf-32")
            order += bytes.StartsWith(codec == "utf-16" ? [(byte)0xFE, 0xFF] : (ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF]) ? "-be" : "-le";
        var start = bytes.StartsWith(Mark(codec)) || order.EndsWith("be", StringComparison.Ordinal) && order != codec
            ? Mark(codec).Length : 0;
        var result = new StringBuilder(bytes.Length);
        for (var at = start; at < bytes.Length;)
        {
            var point = Read(order, bytes[at..], out var length, out var problem);
            if (problem is null)
                result.Append(point is >= 0xD800 and <= 0xDFFF ? ((char)point).ToString() : char.ConvertFromUtf32(point));
            else
                result.Append(Replacement(codec, errors, bytes.Slice(at, length), at, problem));
            at += length;
        }
        return context.Checked(result.ToString());
    }

    private static int Read(string codec, ReadOnlySpan<byte> bytes, out int length, out string? problem)
    {
        (length, problem) = (1, null);
        if (codec is "ascii" or "latin-1")
        {
            problem = codec == "ascii" && bytes[0] > 0x7F ? "ordinal not in range(128)" : null;
            return bytes[0];
        }
        if (codec.StartsWith("utf-8", StringComparison.Ordinal))
        {
            var status = Rune.DecodeFromUtf8(bytes, out var rune, out length);
            problem = status switch
            {
                OperationStatus.Done => null,
                OperationStatus.NeedMoreData => "unexpected end of data",
                _ => bytes[0] is < 0xC2 or > 0xF4 ? "invalid start byte" : "invalid continuation byte",
            };
            return rune.Value;
        }
        var size = codec.StartsWith("utf-16", StringComparison.Ordinal) ? 2 : 4;
        var isBig = codec.EndsWith("be", StringComparison.Ordinal);
        length = Math.Min(size, bytes.Length);
        if (bytes.Length < size)
            problem = "truncated data";
        if (problem is not null)
            return 0;
        var unit = size == 4
            ? (isBig ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes)) : Unit(bytes, isBig);
        if (size == 2 && char.IsHighSurrogate((char)unit) && bytes.Length >= 4 && char.IsLowSurrogate((char)Unit(bytes[2..], isBig)))
        {
            length = 4;
            return char.ConvertToUtf32((char)unit, (char)Unit(bytes[2..], isBig));
        }
        problem = unit > 0x10FFFF ? "code point not in range(0x110000)" : unit is >= 0xD800 and <= 0xDFFF ? "illegal encoding" : null;
        return (int)unit;
    }

    private static uint Unit(ReadOnlySpan<byte> bytes, bool isBig) =>
        isBig ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static string Replacement(string codec, string errors, ReadOnlySpan<byte> bytes, int position, string problem) => errors switch
    {
        "ignore" => "",
        "replace" => "\uFFFD",
        "backslashreplace" => string.Concat(bytes.ToArray().Select(value => PythonText.HexadecimalEscape(value))),
        "strict" => throw new PythonError("UnicodeDecodeError", bytes.Length == 1
            ? $"'{Shown(codec)}' codec can't decode byte 0x{bytes[0]:x2} in position {position}: {problem}"
            : $"'{Shown(codec)}' codec can't decode bytes in position {position}-{position + bytes.Length - 1}: {problem}"),
        _ => throw new PythonError("LookupError", $"unknown error handler name '{errors}'"),
    };
}
