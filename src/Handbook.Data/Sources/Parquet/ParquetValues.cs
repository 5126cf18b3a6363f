using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Handbook.Data.Sources.Parquet;

/// <summary>Writes values of Parquet as JSON: numbers exactly, times and what else JSON does not have as texts.</summary>
internal static class ParquetValues
{
    private const int JulianDayOf1970 = 2440588;

    /// <summary>Writes a value; what is wrong with it comes back in words, and null is written.</summary>
    public static string? Write(Utf8JsonWriter writer, ValueColumn column, ValueStream value)
    {
        switch (column.Type)
        {
            case PhysicalType.Boolean: writer.WriteBooleanValue(value.Bits != 0); return null;
            case PhysicalType.Float: NonFiniteNumbers.Write(writer, BitConverter.Int32BitsToSingle((int)value.Bits)); return null;
            case PhysicalType.Double: NonFiniteNumbers.Write(writer, BitConverter.Int64BitsToDouble(value.Bits)); return null;
            case PhysicalType.Int32 or PhysicalType.Int64: WriteInteger(writer, column, value.Bits); return null;
            case PhysicalType.Int96:
                var nanoseconds = BinaryPrimitives.ReadInt64LittleEndian(value.Bytes);
                var day = BinaryPrimitives.ReadInt32LittleEndian(value.Bytes[8..]) - (long)JulianDayOf1970;
                writer.WriteStringValue(DateAndTime(day, nanoseconds, 9));
                return null;
            default: return WriteBytes(writer, column, value.Bytes);
        }
    }

    /// <summary>A value as the key of a map.</summary>
    public static string Key(ValueColumn column, ValueStream value)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
            Write(writer, column, value);
        using var document = JsonDocument.Parse(json.ToArray());
        return document.RootElement.ToString();
    }

    private static void WriteInteger(Utf8JsonWriter writer, ValueColumn column, long value)
    {
        switch (column.Meaning)
        {
            case ValueMeaning.Unsigned: writer.WriteNumberValue(column.Type == PhysicalType.Int32 ? (uint)value : (ulong)value); break;
            case ValueMeaning.Decimal: writer.WriteRawValue(Decimal(value, column.Scale)); break;
            case ValueMeaning.Date: writer.WriteStringValue(Date(value)); break;
            case ValueMeaning.Time: writer.WriteStringValue(Clock(value, column.Scale)); break;
            case ValueMeaning.Timestamp:
                var perDay = 86_400 * (long)Math.Pow(10, column.Scale);
                var (day, rest) = Math.DivRem(value, perDay);
                writer.WriteStringValue(rest < 0
                    ? DateAndTime(day - 1, rest + perDay, column.Scale) : DateAndTime(day, rest, column.Scale));
                break;
            default: writer.WriteNumberValue(value); break;
        }
    }

    private static string? WriteBytes(Utf8JsonWriter writer, ValueColumn column, ReadOnlySpan<byte> value)
    {
        switch (column.Meaning)
        {
            case ValueMeaning.Decimal:
                writer.WriteRawValue(Decimal(new BigInteger(value, isBigEndian: true), column.Scale));
                return null;
            case ValueMeaning.Uuid when value.Length == 16:
                writer.WriteStringValue(new Guid(value, bigEndian: true));
                return null;
            case ValueMeaning.Half when value.Length == 2:
                NonFiniteNumbers.Write(writer, (float)BinaryPrimitives.ReadHalfLittleEndian(value));
                return null;
            case ValueMeaning.Interval when value.Length == 12:
                writer.WriteStringValue(string.Create(CultureInfo.InvariantCulture,
                    $"{BinaryPrimitives.ReadUInt32LittleEndian(value)} months {BinaryPrimitives.ReadUInt32LittleEndian(value[4..])} days "
                        + $"{BinaryPrimitives.ReadUInt32LittleEndian(value[8..])} ms"));
                return null;
        }
        if (Utf8.IsValid(value))
        {
            if (column.Meaning == ValueMeaning.Json)
                EmbeddedJson.Write(writer, value);
            else
                writer.WriteStringValue(value);
            return null;
        }
        if (column.Meaning is ValueMeaning.Text or ValueMeaning.Json)
        {
            writer.WriteNullValue();
            return SourceRow.InvalidUtf8(value);
        }
        writer.WriteStringValue(Escaped(value));
        return null;
    }

    /// <summary>Bytes that are no text, as databases show them.</summary>
    private static string Escaped(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var b in bytes)
        {
            if (b is >= 0x20 and < 0x7F and not (byte)'\\')
                text.Append((char)b);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\x{b:X2}");
        }
        return text.ToString();
    }

    private static string Decimal(BigInteger value, int scale)
    {
        var digits = BigInteger.Abs(value).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        var number = scale == 0 ? digits : $"{digits[..^scale]}.{digits[^scale..]}";
        return value.Sign < 0 ? "-" + number : number;
    }

    private static string Date(long day) => day is > -719162 and < 2932897
        ? DateOnly.FromDayNumber((int)day + 719162).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"day {day} from 1970-01-01");

    private static string DateAndTime(long day, long units, int scale) => $"{Date(day)} {Clock(units, scale)}";

    /// <summary>Hours, minutes and seconds, with a fraction where there is one.</summary>
    private static string Clock(long units, int scale)
    {
        var perSecond = (long)Math.Pow(10, scale);
        var (seconds, fraction) = (units / perSecond, units % perSecond);
        var time = string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}");
        return fraction == 0 ? time : $"{time}.{fraction.ToString(CultureInfo.InvariantCulture).PadLeft(scale, '0').TrimEnd('0')}";
    }
}
