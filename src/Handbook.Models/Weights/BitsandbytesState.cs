using System.Globalization;
using System.Text;
using System.Text.Json;
using Handbook.Autograd.Quantization;
using Handbook.Models.Safetensors;
using Handbook.Torch;

namespace Handbook.Models.Weights;

/// <summary>What bitsandbytes writes beside 4-bit codes as JSON in a tensor of bytes.</summary>
/// <param name="QuantType"><c>nf4</c> or <c>fp4</c>.</param>
/// <param name="BlockSize">Elements of a block.</param>
/// <param name="DType">Element type of what was quantised.</param>
/// <param name="Shape">[out, in].</param>
/// <param name="Offset">Added to doubly quantised scales; null when scales are numbers.</param>
/// <param name="GroupSize">Scales of a group, where they are quantised.</param>
internal sealed record BitsandbytesState(string QuantType, long BlockSize, DType DType, long[] Shape, float? Offset, long GroupSize)
{
    private const int MostBytes = 1 << 16;
    private static readonly long[] BlockSizes = [32, 64, 128, 256, 512, 1024, 2048, 4096];
    private static readonly DType[] DTypes = [DType.BFloat16, DType.Float16, DType.Float32];

    /// <summary>That of a matrix.</summary>
    internal static BitsandbytesState Of(QuantizedMatrix matrix) => new(
        matrix.Format.Name, matrix.BlockSize, matrix.SourceDType, matrix.Shape.ToArray(), matrix.Scales.Nested?.Offset,
        matrix.Scales.Nested?.GroupSize ?? 1);

    /// <summary>Reads the bytes of a tensor.</summary>
    /// <exception cref="UserErrorException">They are something else.</exception>
    internal static BitsandbytesState Read(SafetensorsFolder folder, string name)
    {
        if (folder.Entry(name) is not { DTypeName: "U8", ElementCount: <= MostBytes })
            throw Broken(folder, name, "is no JSON in bytes");
        BitsandbytesState found;
        try
        {
            using var bytes = folder.Get(name);
            using var document = JsonDocument.Parse(bytes.ToArray<byte>(), new JsonDocumentOptions { MaxDepth = 8 });
            found = Parse(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw Broken(folder, name, "is not the JSON object that bitsandbytes writes: quant_type, blocksize, dtype, shape");
        }
        if (!BlockSizes.Contains(found.BlockSize) || (found.Offset is not null && !BlockSizes.Contains(found.GroupSize)))
            throw Broken(folder, name, $"has a blocksize that is none of {string.Join(", ", BlockSizes)}");
        return found.Offset is not { } offset || float.IsFinite(offset)
            ? found : throw Broken(folder, name, "has a nested_offset that is not a finite number");
    }

    /// <summary>The JSON, as Python's <c>json.dumps</c> spells it.</summary>
    internal byte[] ToBytes()
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{{\"quant_type\": \"{QuantType}\", \"blocksize\": {BlockSize}, ")
            + $"\"dtype\": \"{DType.Name()}\", \"shape\": [{string.Join(", ", Shape)}]";
        if (Offset is { } offset)
            text += $", \"nested_blocksize\": {GroupSize}, \"nested_dtype\": \"float32\", \"nested_offset\": {PythonText(offset)}";
        return Encoding.UTF8.GetBytes(text + "}");
    }

    private static BitsandbytesState Parse(JsonElement json)
    {
        var isNested = json.TryGetProperty("nested_offset", out var offset);
        var dtype = json.GetProperty("dtype").GetString();
        return new BitsandbytesState(
            json.GetProperty("quant_type").GetString()!, json.GetProperty("blocksize").GetInt64(),
            DTypes.Where(one => one.Name() == dtype).Append(DType.Float32).First(),
            [.. json.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())],
            isNested ? offset.GetSingle() : null, isNested ? json.GetProperty("nested_blocksize").GetInt64() : 1);
    }

    /// <summary>The shortest digits that give the number back.</summary>
    private static string PythonText(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        return text.AsSpan().ContainsAny(".e") ? text : text + ".0";
    }

    private static UserErrorException Broken(SafetensorsFolder folder, string name, string what) =>
        new($"{folder.FileOf(name)}: tensor {name} {what}.");
}
