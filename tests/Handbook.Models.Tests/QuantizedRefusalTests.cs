using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Handbook.Autograd.Quantization;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests;

/// <summary>Configurations and files with weights in few bits that are not what they should be: a line each.</summary>
public sealed class QuantizedRefusalTests
{
    private const string Weight = "model.layers.0.mlp.up_proj.weight";
    private static readonly QuantizationConfig FourBits = new() { Format = CodeFormat.NormalFloat4 };

    [Theory]
    [InlineData("""{"quant_method": "gptq", "bits": 4}""",
        "quantization_config is of gptq, which is not supported; bitsandbytes is. Use the full-precision checkpoint.")]
    [InlineData("""{"quant_method": "fp8"}""",
        "quantization_config is of fp8, which is not supported; bitsandbytes is. Use the full-precision checkpoint.")]
    [InlineData("""{"quant_method": "bitsandbytes"}""", "quantization_config must have one of load_in_4bit and load_in_8bit as true")]
    [InlineData("""{"load_in_4bit": true, "bnb_4bit_quant_type": "int4"}""",
        "quantization_config has bnb_4bit_quant_type \"int4\"; nf4 or fp4 is expected")]
    [InlineData("""{"load_in_4bit": true, "bnb_4bit_quant_storage": "bfloat16"}""",
        "quantization_config has bnb_4bit_quant_storage bfloat16, which is not supported; uint8 is")]
    [InlineData("7", "quantization_config must be an object, got 7")]
    public void Config_OfAnotherMethod_IsRefusedByName(string quantization, string expected)
    {
        var config = TinyModels.Config(("quantization_config", JsonNode.Parse(quantization)));
        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Create(config, 1, DType.Float32));
        Assert.Equal("config.json: " + expected, error.Message);
    }

    public static TheoryData<string, string> Damages => new()
    {
        { Weight + ".absmax", "{0}: tensor model.layers.0.mlp.up_proj.weight.absmax [194] is missing." },
        {
            Weight + ".quant_state.bitsandbytes__nf4",
            "{1}: tensor model.layers.0.mlp.up_proj.weight holds bytes, and "
                + "model.layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4 that says which numbers they are is missing."
        },
        { Weight, "{0}: tensor model.layers.0.mlp.up_proj.weight [172, 72] is missing." },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Load_WithoutATensor_SaysWhich(string missing, string expected)
    {
        using var temporary = new TemporaryFolder();
        Quantize(temporary.Path);
        Rewrite(temporary.Path, tensors => tensors.Where(tensor => tensor.Name != missing));
        var line = string.Format(CultureInfo.InvariantCulture, expected, temporary.Path, temporary.File("model.safetensors"));
        Assert.Contains(line, Refusal(temporary.Path));
    }

    [Fact]
    public void Load_EmbeddingInCodes_IsRefusedInOneLine()
    {
        using var temporary = new TemporaryFolder();
        Quantize(temporary.Path);
        Rewrite(temporary.Path, tensors => tensors.Select(tensor => tensor.Name != "model.embed_tokens.weight" ? tensor
            : new NamedTensor(tensor.Name, Tensor.Zeros([131 * 36, 1], DType.UInt8))));
        Assert.Equal($"{temporary.File("model.safetensors")}: tensor model.embed_tokens.weight is in codes of few bits; an embedding must "
            + "be BF16, F16 or F32.", Refusal(temporary.Path));
    }

    [Theory]
    [InlineData("""{"quant_type": "nf4", "blocksize": 63, "dtype": "float32", "shape": [172, 72]}""", "has a blocksize that is none of")]
    [InlineData("""{"quant_type": "nf4", "blocksize": 64, "dtype": "float32", "shape": "x"}""",
        "is not the JSON object that bitsandbytes writes")]
    [InlineData("[[[[[[[[[[", "is not the JSON object that bitsandbytes writes")]
    [InlineData("""{"quant_type": "nf4", "blocksize": 64, "dtype": "float32", "shape": [999999999999, 72]}""",
        "is [999999999999, 72], the configuration needs [172, 72]")]
    [InlineData("""
        {"quant_type": "nf4", "blocksize": 64, "dtype": "float32", "shape": [172, 72], "nested_blocksize": 256, "nested_offset": 1e400}
        """, "model.layers.0.mlp.up_proj.weight")]
    public void Load_HostileState_IsRefusedInOneLine(string state, string expected)
    {
        using var temporary = new TemporaryFolder();
        Quantize(temporary.Path);
        Rewrite(temporary.Path, tensors => tensors.Select(tensor => tensor.Name != Weight + ".quant_state.bitsandbytes__nf4"
            ? tensor : new NamedTensor(tensor.Name, Tensor.From(Encoding.UTF8.GetBytes(state)))));
        var refusal = Refusal(temporary.Path);
        Assert.Contains(expected, refusal);
        Assert.DoesNotContain('\n', refusal);
    }

    [Fact]
    public void Load_OfAnotherFormatThanTheFilesHold_IsRefused()
    {
        using var temporary = new TemporaryFolder();
        Quantize(temporary.Path);
        var error = Assert.Throws<UserErrorException>(
            () => CausalLanguageModel.Load(temporary.Path, quantization: new() { Format = CodeFormat.Int8 }));
        Assert.Equal(
            $"{temporary.Path}: the weights are in nf4 already; they cannot be put into int8. Use the full-precision checkpoint.",
            error.Message);
    }

    [Fact]
    public void Load_WeightThatIsNoNumber_IsRefusedByName()
    {
        using var temporary = new TemporaryFolder();
        using (var model = TinyModels.Create())
            model.Save(temporary.Path, DType.Float32);
        Rewrite(temporary.Path, tensors => tensors.Select(tensor => tensor.Name != "model.layers.2.mlp.up_proj.weight" ? tensor
            : new NamedTensor(tensor.Name, Tensor.Full([172, 72], double.PositiveInfinity, DType.Float32))));
        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.Path, quantization: FourBits));
        Assert.Contains("tensor model.layers.2.mlp.up_proj.weight holds values that are infinite or not a number", error.Message);
    }

    private static void Quantize(string folder)
    {
        using (var model = TinyModels.Create())
            model.Save(folder, DType.Float32);
        using var loaded = CausalLanguageModel.Load(folder, quantization: FourBits);
        loaded.Save(folder, DType.Float32);
    }

    private static void Rewrite(string folder, Func<IEnumerable<NamedTensor>, IEnumerable<NamedTensor>> change)
    {
        using var scope = new TensorScope();
        List<NamedTensor> tensors;
        using (var weights = new SafetensorsFolder(folder))
            tensors = [.. weights.Names.Select(name => new NamedTensor(name, weights.Get(name)))];
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), change(tensors));
    }

    private static string Refusal(string folder) => Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(folder)).Message;
}
