using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace Handbook.Models.Safetensors;

/// <summary>
/// The header of a safetensors file: eight bytes of length, then JSON. It comes from strangers, so everything that the format
/// promises is checked before an address is made of it: the header's size and encoding, names that occur twice, element types,
/// sizes that overflow, ranges that overlap, leave gaps, or do not end where the file ends.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>The reference implementation's limit, in bytes.</summary>
    private const long LargestHeader = 100_000_000;

    /// <summary>PyTorch's limit of dimensions.</summary>
    private const int MostSizes = 64;

    private SafetensorsHeader(IReadOnlyDictionary<string, TensorEntry> tensors, IReadOnlyDictionary<string, string> metadata,
        long dataStart)
    {
        Tensors = tensors;
        Metadata = metadata;
        DataStart = dataStart;
    }

    /// <summary>Tensors by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>Free texts of the file, such as <c>format: pt</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Offset of the data part in the file, in bytes.</summary>
    public long DataStart { get; }

    /// <summary>Reads and checks a header.</summary>
    /// <param name="path">The file's name for messages.</param>
    /// <param name="stream">At the file's beginning; it is left after the header.</param>
    /// <param name="fileLength">Length of the whole file in bytes.</param>
    /// <exception cref="UserErrorException">The header breaks a rule of the format.</exception>
    public static SafetensorsHeader Read(string path, Stream stream, long fileLength)
    {
        if (fileLength < 8)
            throw Broken(path,
                $"{fileLength} bytes cannot hold the 8 bytes of a header's length. Is it a Git LFS pointer or a partial download?");
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LargestHeader)
            throw Broken(path,
                $"the header says it is {length} bytes long; {LargestHeader} is the limit. It is no safetensors file, or damaged.");
        if ((long)length > fileLength - 8)
            throw Broken(path, $"the header should be {length} bytes long, but {fileLength - 8} follow. The file is truncated.");
        if (length < 2)
            throw Broken(path, $"a header of {length} bytes is too small: even an empty one is {{}}.");
        var json = new byte[length];
        stream.ReadExactly(json);
        if (!Utf8.IsValid(json))
            throw Broken(path, "the header is not UTF-8.");
        if (json[0] != (byte)'{')
            throw Broken(path, "the header does not begin with {.");
        var (tensors, metadata) = Parse(path, json);
        CheckCoverage(path, tensors.Values, fileLength - 8 - (long)length);
        return new SafetensorsHeader(tensors, metadata, 8 + (long)length);
    }

    private static (Dictionary<string, TensorEntry> Tensors, Dictionary<string, string> Metadata) Parse(string path, byte[] json)
    {
        var tensors = new Dictionary<string, TensorEntry>();
        Dictionary<string, string>? metadata = null;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (name == "__metadata__")
                {
                    if (metadata is not null)
                        throw Broken(path, "__metadata__ occurs twice in the header.");
                    metadata = ReadMetadata(path, ref reader);
                }
                else if (!tensors.TryAdd(name, ReadEntry(path, name, ref reader)))
                {
                    throw Broken(path, $"{Quote(name)} occurs twice in the header.");
                }
            }
            // Anything but blanks after the closing brace makes the reader throw.
            while (reader.Read()) { }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new UserErrorException($"{path}: the header is not valid JSON: {OneLine(BrokenJson.Explain(error))}.", error);
        }
        return (tensors, metadata ?? []);
    }

    private static Dictionary<string, string> ReadMetadata(string path, ref Utf8JsonReader reader)
    {
        var metadata = new Dictionary<string, string>();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Broken(path, "__metadata__ must be an object of texts.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Broken(path, $"__metadata__ {Quote(key)} must be a text.");
            metadata[key] = reader.GetString()!;
        }
        return metadata;
    }

    private static TensorEntry ReadEntry(string path, string name, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Broken(path, $"{Quote(name)} must be an object with dtype, shape and data_offsets.");
        string? dtype = null;
        long[]? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            switch (key)
            {
                case "dtype" when dtype is null && reader.TokenType == JsonTokenType.String:
                    dtype = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(path, name, key, ref reader);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(path, name, key, ref reader);
                    break;
                default:
                    throw Broken(path,
                        $"{Quote(name)} has an unexpected or repeated {Quote(key)}; dtype, shape and data_offsets are what it may have.");
            }
        }
        if (dtype is null || shape is null || offsets is not { Length: 2 })
            throw Broken(path, $"{Quote(name)} needs a dtype, a shape and two data_offsets.");
        CheckSize(path, name, dtype, shape, offsets);
        return new TensorEntry(name, dtype, shape, offsets[0], offsets[1]);
    }

    private static long[] ReadNumbers(string path, string name, string key, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Broken(path, $"{Quote(name)}: {key} must be a list of whole numbers.");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw Broken(path, $"{Quote(name)}: {key} must be a list of whole numbers from 0 to {long.MaxValue}.");
            if (numbers.Count == MostSizes)
                throw Broken(path, $"{Quote(name)}: {key} has more than {MostSizes} numbers; no tensor has so many dimensions.");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private static void CheckSize(string path, string name, string dtype, long[] shape, long[] offsets)
    {
        var bits = ElementTypes.Bits(dtype)
            ?? throw Broken(path, $"{Quote(name)} has the unknown dtype {Quote(dtype)}.{NearestName.Hint(dtype, ElementTypes.Names)}");
        if (offsets[1] < offsets[0])
            throw Broken(path, $"{Quote(name)} ends at {offsets[1]}, before its beginning at {offsets[0]}.");
        UInt128 product = 1;
        foreach (var size in shape)
        {
            product *= (ulong)size;
            if (product > long.MaxValue)
                throw Broken(path, $"{Quote(name)}: the sizes [{string.Join(", ", shape)}] overflow.");
        }
        var total = product * (uint)bits;
        if (total % 8 != 0 || total / 8 != (UInt128)(offsets[1] - offsets[0]))
            throw Broken(path,
                $"{Quote(name)}: {dtype} [{string.Join(", ", shape)}] takes {total / 8} bytes, data_offsets span "
                    + $"{offsets[1] - offsets[0]}.");
    }

    private static void CheckCoverage(string path, IEnumerable<TensorEntry> tensors, long dataLength)
    {
        var end = 0L;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.End))
        {
            if (tensor.End > dataLength)
                throw Broken(path,
                    $"{Quote(tensor.Name)} ends at byte {tensor.End} of the data, which has {dataLength}. The file is truncated or "
                        + "damaged.");
            if (tensor.Begin != end)
            {
                throw Broken(path, tensor.Begin < end
                    ? $"{Quote(tensor.Name)} begins at byte {tensor.Begin}, inside the tensor before it, which ends at {end}."
                    : $"bytes {end} to {tensor.Begin} before {Quote(tensor.Name)} belong to no tensor.");
            }
            end = tensor.End;
        }
        if (end != dataLength)
            throw Broken(path, $"{dataLength - end} bytes follow the last tensor, which ends at {end}.");
    }

    private static UserErrorException Broken(string path, string problem) => new($"{path}: {problem}");

    /// <summary>A name from the file on one line and of bounded length.</summary>
    internal static string Quote(string name) => $"\"{OneLine(name.Length > 200 ? name[..200] + "..." : name)}\"";

    private static string OneLine(string text) =>
        string.Concat(text.Select(letter => char.IsControl(letter) || letter is '\u2028' or '\u2029' ? '?' : letter));
}
