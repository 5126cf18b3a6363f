using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Types;

namespace Handbook.Data.Sources;

/// <summary>Writes one value of an Arrow array as JSON.</summary>
internal static class ArrowJson
{
    /// <summary>Writes the value at an index; a type that no data set for language models uses is refused by name.</summary>
    public static void Write(Utf8JsonWriter writer, IArrowArray array, int index)
    {
        if (array.IsNull(index))
        {
            writer.WriteNullValue();
            return;
        }
        switch (array)
        {
            case StringArray text: writer.WriteStringValue(text.GetBytes(index)); break;
            case LargeStringArray text: writer.WriteStringValue(text.GetBytes(index)); break;
            case StringViewArray text: writer.WriteStringValue(text.GetBytes(index)); break;
            case BooleanArray flags: writer.WriteBooleanValue(flags.GetValue(index)!.Value); break;
            case StructArray record: WriteRecord(writer, record, index); break;
            case ListArray list: WriteItems(writer, list.Values, list.ValueOffsets[index], list.ValueOffsets[index + 1]); break;
            case LargeListArray list: WriteItems(writer, list.Values, (int)list.ValueOffsets[index], (int)list.ValueOffsets[index + 1]); break;
            case DictionaryArray coded: WriteCoded(writer, coded, index); break;
            default: WriteNumber(writer, array, index); break;
        }
    }

    private static void WriteNumber(Utf8JsonWriter writer, IArrowArray array, int index)
    {
        switch (array)
        {
            case Int8Array numbers: writer.WriteNumberValue(numbers.GetValue(index)!.Value); break;
            case Int16Array numbers: writer.WriteNumberValue(numbers.GetValue(index)!.Value); break;
            case Int32Array numbers: writer.WriteNumberValue(numbers.GetValue(index)!.Value); break;
            case Int64Array numbers: writer.WriteNumberValue(numbers.GetValue(index)!.Value); break;
            case UInt8Array numbers: writer.WriteNumberValue(numbers.GetValue(index)!.Value); break;
            case UInt16Array numbers: writer.WriteNumberValue(numbers.GetValue(index)!.Value); break;
            case UInt32Array numbers: writer.WriteNumberValue(numbers.GetValue(index)!.Value); break;
            case UInt64Array numbers: writer.WriteNumberValue(numbers.GetValue(index)!.Value); break;
            case FloatArray numbers: WriteFinite(writer, numbers.GetValue(index)!.Value); break;
            case DoubleArray numbers: WriteFinite(writer, numbers.GetValue(index)!.Value); break;
            default: writer.WriteStringValue($"<{array.Data.DataType.Name}>"); break;
        }
    }

    private static void WriteFinite(Utf8JsonWriter writer, double number)
    {
        if (double.IsFinite(number))
            writer.WriteNumberValue(number);
        else
            writer.WriteNullValue();
    }

    private static void WriteRecord(Utf8JsonWriter writer, StructArray record, int index)
    {
        writer.WriteStartObject();
        var type = (StructType)record.Data.DataType;
        for (var field = 0; field < type.Fields.Count; field++)
        {
            writer.WritePropertyName(type.Fields[field].Name);
            Write(writer, record.Fields[field], index);
        }
        writer.WriteEndObject();
    }

    private static void WriteItems(Utf8JsonWriter writer, IArrowArray values, int start, int end)
    {
        writer.WriteStartArray();
        for (var i = start; i < end; i++)
            Write(writer, values, i);
        writer.WriteEndArray();
    }

    private static void WriteCoded(Utf8JsonWriter writer, DictionaryArray coded, int index)
    {
        var code = coded.Indices switch
        {
            Int8Array codes => codes.GetValue(index)!.Value,
            Int16Array codes => codes.GetValue(index)!.Value,
            Int32Array codes => codes.GetValue(index)!.Value,
            _ => throw new NotSupportedException($"dictionary codes of type {coded.Indices.Data.DataType.Name}"),
        };
        Write(writer, coded.Dictionary, code);
    }
}
