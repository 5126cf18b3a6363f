using System.Text;
using System.Text.Json;
using Handbook.Autograd.Quantization;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests.Golden;

/// <summary>NF4 as bitsandbytes makes it: codes, scales, doubly quantised scales and the numbers that come back.</summary>
[Trait("Category", "Golden")]
public sealed class QuantizedGoldenTests
{
    public static TheoryData<string> Files() =>
    [
        .. Directory.GetFiles(SharedFolders.Golden("models", "nf4"), "*.safetensors")
            .Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Quantize_GivesBitsandbytesCodesAndScales(string file)
    {
        using var scope = new TensorScope();
        using var golden = Open(file);
        using var matrix = QuantizedMatrix.Quantize(golden.Get("input"), CodeFormat.NormalFloat4);

        Assert.Equal(golden.Get("weight").Shape, matrix.Codes.Shape);
        Assert.Equal(golden.Get("weight").ToArray<byte>(), matrix.Codes.ToArray<byte>());
        Assert.Equal(golden.Get("plain.absmax").ToArray<float>(), matrix.Scales.Values.ToArray<float>());
        Assert.Equal(golden.Get("plain.dequantized").ToArray<float>(), matrix.Dequantize(DType.Float32).ToArray<float>());
        // What is bfloat16 already takes another way through the kernel.
        if (file.StartsWith("bf16", StringComparison.Ordinal))
        {
            using var narrow = QuantizedMatrix.Quantize(golden.Get("input").To(DType.BFloat16), CodeFormat.NormalFloat4);
            Assert.Equal(matrix.Codes.ToArray<byte>(), narrow.Codes.ToArray<byte>());
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Quantize_Twice_GivesBitsandbytesNestedScales(string file)
    {
        using var scope = new TensorScope();
        using var golden = Open(file);
        using var matrix = QuantizedMatrix.Quantize(golden.Get("input"), CodeFormat.NormalFloat4, nested: true);
        var nested = matrix.Scales.Nested!;

        Assert.Equal(golden.Get("weight.absmax").ToArray<byte>(), matrix.Scales.Values.ToArray<byte>());
        // Our mean is exact before it is rounded; PyTorch's depends on the width of registers. One unit in the last place lies between.
        Assert.InRange(golden.Get("weight.nested_absmax").MaxAbsDifference(nested.Scales), 0, 2.5e-7);
        Assert.Equal(golden.Get("weight.nested_quant_map").ToArray<float>(), nested.Map.ToArray<float>());
        Assert.Equal(golden.Get("weight.quant_map").ToArray<float>(), matrix.Table!.ToArray<float>());
        Assert.InRange(nested.Offset, MathF.BitDecrement(Offset(golden)), MathF.BitIncrement(Offset(golden)));
        Assert.InRange(golden.Get("nested.absmax_dequantized").MaxAbsDifference(matrix.Scales.Dequantize()), 0, 5e-7);
        Assert.InRange(golden.Get("nested.dequantized").MaxAbsDifference(matrix.Dequantize(DType.Float32)), 0, 1e-6);
    }

    private static SafetensorsFile Open(string file) => new(SharedFolders.Golden("models", "nf4", file));

    private static float Offset(SafetensorsFile golden) =>
        JsonDocument.Parse(Encoding.UTF8.GetString(golden.Get("weight.quant_state.bitsandbytes__nf4").ToArray<byte>()))
            .RootElement.GetProperty("nested_offset").GetSingle();
}
