namespace Handbook.Tokenizers;

/// <summary>
/// GPT-2's printable spelling of bytes: printable Latin-1 bytes are themselves, the other 68 are U+0100 and up in order
/// (openai/gpt-2 src/encoder.py, bytes_to_unicode).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Chars = BuildChars();
    private static readonly short[] Bytes = BuildBytes();

    /// <summary>The character that spells a byte.</summary>
    public static char ToChar(byte value) => Chars[value];

    /// <summary>The byte that a character spells, or -1.</summary>
    public static int ToByte(char unit) => unit < Bytes.Length ? Bytes[unit] : -1;

    private static char[] BuildChars()
    {
        var chars = new char[256];
        var next = 0x100;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            chars[value] = (char)(printable ? value : next++);
        }
        return chars;
    }

    private static short[] BuildBytes()
    {
        var bytes = new short[0x100 + 68];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++)
            bytes[Chars[value]] = (short)value;
        return bytes;
    }
}
