using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Handbook.Torch;

namespace Handbook.Models.Safetensors;

/// <summary>A tensor to be written, in its own element type or another.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="Value">The elements; any device, any strides.</param>
/// <param name="DType">Element type in the file; the conversion is made while writing, one tensor at a time.</param>
public sealed record NamedTensor(string Name, Tensor Value, DType DType)
{
    /// <summary>In the tensor's own element type.</summary>
    public NamedTensor(string name, Tensor value) : this(name, value, value.DType) { }

    /// <summary>Bytes in the file.</summary>
    public long ByteCount => Value.ElementCount * DType.Size();
}

/// <summary>
/// Writes safetensors files as the reference implementation does, byte for byte: tensors by descending element type and then by
/// name, header padded to eight bytes. Files appear whole or not at all.
/// </summary>
public static unsafe class SafetensorsWriter
{
    private static readonly Dictionary<string, string> PyTorchFormat = new() { ["format"] = "pt" };

    /// <summary>Writes tensors to a file, one after another.</summary>
    /// <param name="path">The file; replaced when it is there.</param>
    /// <param name="tensors">What to write; names must differ.</param>
    /// <param name="metadata">Texts for the header; null writes <c>format: pt</c>, which transformers asks for.</param>
    public static void Write(string path, IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var ordered = tensors
            .OrderByDescending(tensor => ElementTypes.PlaceOf(tensor.DType))
            .ThenBy(tensor => tensor.Name, StringComparer.Ordinal)
            .ToArray();
        var header = Header(ordered, metadata ?? PyTorchFormat);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            foreach (var tensor in ordered)
                WriteElements(stream, tensor);
        });
    }

    private static byte[] Header(NamedTensor[] tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, text) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    json.WriteString(key, text);
                json.WriteEndObject();
            }
            var offset = 0L;
            var names = new HashSet<string>();
            foreach (var tensor in tensors)
            {
                if (!names.Add(tensor.Name))
                    throw new ArgumentException($"{tensor.Name} would be written twice.", nameof(tensors));
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", ElementTypes.NameOf(tensor.DType));
                json.WriteStartArray("shape");
                foreach (var size in tensor.Value.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.ByteCount);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        var padded = (buffer.WrittenCount + 7) / 8 * 8;
        var header = new byte[8 + padded];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)padded);
        buffer.WrittenSpan.CopyTo(header.AsSpan(8));
        return header;
    }

    private static void WriteElements(Stream stream, NamedTensor tensor)
    {
        using var scope = new TensorScope();
        var elements = tensor.Value.ToHost(DeviceWait.Weights).To(tensor.DType).Contiguous();
        var remaining = elements.ByteCount;
        var address = remaining == 0 ? null : (byte*)elements.Pointer;
        while (remaining > 0)
        {
            var count = (int)Math.Min(remaining, 1 << 26);
            stream.Write(new ReadOnlySpan<byte>(address, count));
            address += count;
            remaining -= count;
        }
    }
}
