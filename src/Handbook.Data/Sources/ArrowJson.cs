using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Types;

namespace Handbook.Data.Sources;

/// <summary>Writes one value of an Arrow array as JSON.</summary>
internal static class ArrowJson
{
    private const string ExtensionName = "ARROW:extension:name";

    /// <summary>
    /// Writes the value at an index; a text of the extension type <c>arrow.json</c>, in which the datasets library keeps what has no
    /// fixed form, as the JSON it is. A type that no data set for language models uses is written by its name.
    /// </summary>
    /// <exception cref="ArgumentException">A text is not UTF-8.</exception>
    public static void Write(Utf8JsonWriter writer, Field field, IArrowArray array, int index)
    {
        if (array.IsNull(index))
        {
            writer.WriteNullValue();
            return;
        }
        switch (array)
        {
            case StringArray text: WriteText(writer, field, text.GetBytes(index)); break;
            case LargeStringArray text: WriteText(writer, field, text.GetBytes(index)); break;
            case StringViewArray text: WriteText(writer, field, text.GetBytes(index)); break;
            case BooleanArray flags: writer.WriteBooleanValue(flags.GetValue(index)!.Value); break;
            case StructArray record: WriteRecord(writer, record, index); break;
            case ListArray list: WriteItems(writer, list, list.Values, list.ValueOffsets[index], list.ValueOffsets[index + 1]); break;
            case LargeListArray list:
                WriteItems(writer, list, list.Values, checked((int)list.ValueOffsets[index]), checked((int)list.ValueOffsets[index + 1]));
                break;
            case FixedSizeListArray list:
                var size = ((FixedSizeListType)list.Data.DataType).ListSize;
                WriteItems(writer, list, list.Values, checked((list.Offset + index) * size), checked((list.Offset + index + 1) * size));
                break;
            case DictionaryArray coded: Write(writer, field, coded.Dictionary, Code(coded.Indices, index)); break;
            case ExtensionArray extension: Write(writer, field, extension.Storage, index); break;
            default: WriteNumber(writer, array, index); break;
        }
    }

    private static void WriteText(Utf8JsonWriter writer, Field field, ReadOnlySpan<byte> text)
    {
        if (field.Metadata?.GetValueOrDefault(ExtensionName) == "arrow.json")
            EmbeddedJson.Write(writer, text);
        else
            writer.WriteStringValue(text);
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
            case HalfFloatArray numbers: NonFiniteNumbers.Write(writer, (float)numbers.GetValue(index)!.Value); break;
            case FloatArray numbers: NonFiniteNumbers.Write(writer, numbers.GetValue(index)!.Value); break;
            case DoubleArray numbers: NonFiniteNumbers.Write(writer, numbers.GetValue(index)!.Value); break;
            default: writer.WriteStringValue($"<{array.Data.DataType.Name}>"); break;
        }
    }

    private static void WriteRecord(Utf8JsonWriter writer, StructArray record, int index)
    {
        writer.WriteStartObject();
        var type = (StructType)record.Data.DataType;
        for (var field = 0; field < type.Fields.Count; field++)
        {
            writer.WritePropertyName(type.Fields[field].Name);
            Write(writer, type.Fields[field], record.Fields[field], index);
        }
        writer.WriteEndObject();
    }

    private static void WriteItems(Utf8JsonWriter writer, IArrowArray list, IArrowArray values, int start, int end)
    {
        var item = ((NestedType)list.Data.DataType).Fields[0];
        writer.WriteStartArray();
        for (var i = start; i < end; i++)
            Write(writer, item, values, i);
        writer.WriteEndArray();
    }

    /// <summary>The place in the dictionary; codes may have any integer type.</summary>
    private static int Code(IArrowArray codes, int index) => codes switch
    {
        Int8Array integers => integers.GetValue(index)!.Value,
        Int16Array integers => integers.GetValue(index)!.Value,
        Int32Array integers => integers.GetValue(index)!.Value,
        Int64Array integers => checked((int)integers.GetValue(index)!.Value),
        UInt8Array integers => integers.GetValue(index)!.Value,
        UInt16Array integers => integers.GetValue(index)!.Value,
        UInt32Array integers => checked((int)integers.GetValue(index)!.Value),
        UInt64Array integers => checked((int)integers.GetValue(index)!.Value),
        _ => throw new NotSupportedException($"dictionary codes of type {codes.Data.DataType.Name}"),
    };
}
