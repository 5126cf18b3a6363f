using System.Globalization;
using System.Text;

namespace Handbook.Templates.Values;

/// <summary>
/// Python's <c>bytes</c>. They are held as a text of one character a byte, in which those that <c>bytes</c> takes for no letter and no
/// space, though <c>str</c> might, stand in the private-use area: so the methods of texts are those of bytes.
/// </summary>
/// <param name="veiled">See <see cref="Veil(byte)"/>.</param>
internal sealed class BytesValue(string veiled) : TemplateValue
{
    private const char VeiledFrom = '\uE000';

    public BytesValue(ReadOnlySpan<byte> bytes)
        : this(Veil(bytes))
    {
    }

    /// <summary>The bytes as a text for the methods of texts.</summary>
    public string Veiled => veiled;

    public override string TypeName => "bytes";

    public override int? Length => veiled.Length;

    /// <summary>The bytes themselves.</summary>
    public byte[] ToArray()
    {
        Budget.Make(veiled.Length);
        return Array.ConvertAll(veiled.ToCharArray(), unit => (byte)ValueOf(unit));
    }

    public override IEnumerator<object?> Iterate() => veiled.Select(unit => Numbers.Box(ValueOf(unit))).GetEnumerator();

    public override bool TryGetItem(object? key, out object? value)
    {
        value = null;
        if (key is SliceValue slice)
            value = new BytesValue(CodePoints.Slice(veiled, slice.Of(veiled.Length)));
        else if (Sequences.TryGetIndex(key, veiled.Length, out var index))
            value = Numbers.Box(ValueOf(veiled[index]));
        return value is not null;
    }

    public override bool TryGetAttribute(string name, out object? value) => BytesMethods.TryGet(this, name, out value);

    public override void AppendRepr(StringBuilder result, int depth)
    {
        Budget.Walk(veiled.Length);
        var quote = veiled.Contains('\'', StringComparison.Ordinal) && !veiled.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        result.Append('b').Append(quote);
        foreach (var unit in veiled)
        {
            var value = ValueOf(unit);
            if (unit == quote || unit == '\\')
                result.Append('\\').Append(unit);
            else if (unit is '\n' or '\r' or '\t')
                result.Append('\\').Append(unit switch { '\n' => 'n', '\r' => 'r', _ => 't' });
            else if (value is >= 0x20 and < 0x7F)
                result.Append(unit);
            else
                result.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
        }
        result.Append(quote);
        Budget.Fit(result.Length);
    }

    /// <summary>One byte as a character.</summary>
    public static char Veil(byte value) => value is >= 0x80 or (>= 0x1C and <= 0x1F) ? (char)(VeiledFrom + value) : (char)value;

    private static string Veil(ReadOnlySpan<byte> bytes)
    {
        Budget.Make(bytes.Length);
        var units = new char[bytes.Length];
        for (var i = 0; i < units.Length; i++)
            units[i] = Veil(bytes[i]);
        return new string(units);
    }

    private static long ValueOf(char unit) => unit >= VeiledFrom ? unit - VeiledFrom : unit;
}
