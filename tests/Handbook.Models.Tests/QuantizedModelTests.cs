using System.Text;
using System.Text.Json.Nodes;
using Handbook.Autograd;
using Handbook.Autograd.Quantization;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.Models.Tests.Golden;
using Handbook.Models.Weights;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests;

/// <summary>Models whose linear layers are in codes of few bits: made while loading, saved, and read again.</summary>
public sealed class QuantizedModelTests
{
    private static readonly Dictionary<string, QuantizationConfig> Kinds = new()
    {
        ["nf4"] = new() { Format = CodeFormat.NormalFloat4 },
        ["nf4 twice"] = new() { Format = CodeFormat.NormalFloat4, DoubleQuantization = true },
        ["fp4"] = new() { Format = CodeFormat.Float4 },
        ["int8"] = new() { Format = CodeFormat.Int8 },
    };

    public static TheoryData<string> GoldenNames() => [.. GoldenModels.Causal];

    public static TheoryData<string> KindNames() => [.. Kinds.Keys];

    [Theory]
    [MemberData(nameof(GoldenNames))]
    [Trait("Category", "Golden")]
    public void Load_InFourBits_ComputesWithTheNumbersOfTheCodes_OnEveryArchitecture(string folder)
    {
        using var scope = new TensorScope();
        using var quantized = CausalLanguageModel.Load(GoldenModels.PathOf(folder), quantization: Kinds["nf4 twice"]);
        using var dense = CausalLanguageModel.Load(GoldenModels.PathOf(folder));
        Assert.Equal(dense.ParameterCount, quantized.ParameterCount);
        Assert.All(quantized.Slots, slot => Assert.Equal(
            slot.Role is WeightRole.Linear or WeightRole.Experts && !IsRouter(slot), slot.Weight is QuantizedWeight));
        var plain = Logits(dense);
        foreach (var (slot, codes) in dense.Slots.Zip(quantized.Slots))
        {
            using var numbers = codes.Weight.Lease();
            if (codes.Weight is QuantizedWeight)
                ((Parameter)slot.Weight).Replace(numbers.Value.Clone());
        }

        var found = Logits(quantized);
        Assert.InRange(found.MaxAbsDifference(Logits(dense)), 0, 1e-4);
        Assert.True(found.MaxAbsDifference(plain) > 1e-3, "nothing was rounded");

        using var temporary = new TemporaryFolder();
        quantized.Save(temporary.Path, DType.Float32);
        using var again = CausalLanguageModel.Load(temporary.Path);
        Assert.Equal(0, Logits(again).MaxAbsDifference(found));
    }

    [Theory]
    [MemberData(nameof(KindNames))]
    public void Save_WritesWhatBitsandbytesReads_AndAgainTheSameBytes(string kind)
    {
        using var temporary = new TemporaryFolder();
        var (plain, first, second) = (temporary.File("plain"), temporary.File("first"), temporary.File("second"));
        using (var model = TinyModels.Create(DType.BFloat16))
            model.Save(plain, DType.BFloat16);
        using (var model = CausalLanguageModel.Load(plain, quantization: Kinds[kind]))
            model.Save(first, DType.BFloat16);
        using (var model = CausalLanguageModel.Load(first))
        {
            Assert.Equal(DType.BFloat16, model.StoredDType);
            model.Save(second, model.StoredDType!.Value);
        }
        foreach (var file in new[] { "model.safetensors", "config.json" })
            Assert.Equal(File.ReadAllBytes(Path.Combine(first, file)), File.ReadAllBytes(Path.Combine(second, file)));
        using var weights = new SafetensorsFolder(first);
        var name = "model.layers.0.mlp.down_proj";
        Assert.Equal(kind == "int8"
            ? [name + ".SCB", name + ".weight", name + ".weight_format"]
            : kind == "nf4 twice"
                ? [name + ".weight", name + ".weight.absmax", name + ".weight.nested_absmax", name + ".weight.nested_quant_map",
                    name + ".weight.quant_map", name + ".weight.quant_state.bitsandbytes__nf4"]
                : [name + ".weight", name + ".weight.absmax", name + ".weight.quant_map",
                    name + ".weight.quant_state.bitsandbytes__" + kind],
            weights.Names.Where(tensor => tensor.StartsWith(name, StringComparison.Ordinal)));
        if (kind == "nf4")
        {
            Assert.Equal("""{"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [72, 172]}""",
                Encoding.UTF8.GetString(weights.Get(name + ".weight.quant_state.bitsandbytes__nf4").ToArray<byte>()));
        }
    }

    [Theory]
    [MemberData(nameof(QuantizedGoldenTests.Files), MemberType = typeof(QuantizedGoldenTests))]
    [Trait("Category", "Golden")]
    public void Tensors_OfBitsandbytes_AreReadAndWrittenBackIdentically(string file)
    {
        using var temporary = new TemporaryFolder();
        File.Copy(SharedFolders.Golden("models", "nf4", file), temporary.File("model.safetensors"));
        using var scope = new TensorScope();
        using var folder = new SafetensorsFolder(temporary.Path);

        using var matrix = BitsandbytesTensors.Read(folder, "weight", folder.Entry("input").Shape);

        Assert.InRange(matrix.Dequantize(DType.Float32).MaxAbsDifference(folder.Get("nested.dequantized")), 0, 1e-6);
        var written = BitsandbytesTensors.Of("weight", matrix).ToList();
        Assert.Equal(folder.Names.Where(name => name.StartsWith("weight", StringComparison.Ordinal)),
            written.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (var tensor in written)
        {
            Assert.Equal(folder.Entry(tensor.Name).Shape, tensor.Value.Shape);
            Assert.Equal(folder.Get(tensor.Name).ToArray<double>(), tensor.Value.ToArray<double>());
        }
    }

    [Fact]
    public void Load_SkippedModules_StayAsTheyAre()
    {
        using var temporary = new TemporaryFolder();
        using (var model = TinyModels.Create())
            model.Save(temporary.Path, DType.Float32);
        using var loaded = CausalLanguageModel.Load(
            temporary.Path, quantization: Kinds["nf4"] with { SkippedModules = ["model.layers.1", "o_proj"] });
        Assert.All(loaded.Slots.Where(slot => slot.Role == WeightRole.Linear), slot => Assert.Equal(
            !slot.Name.Contains("layers.1.", StringComparison.Ordinal) && !slot.Name.Contains("o_proj", StringComparison.Ordinal),
            slot.Weight is QuantizedWeight));
    }

    [Fact]
    public void StagingMemory_GivesEveryTensorTheSamePlace_AndGrows()
    {
        var staging = new StagingMemory();
        using var first = staging.Take([3, 4], DType.BFloat16);
        first.Fill(2);
        using var second = staging.Take([5], DType.Float32);
        second.Fill(1);
        Assert.Equal([1f, 1, 1, 1, 1], second.ToArray<float>());
        Assert.NotEqual(2f, first.ToArray<float>()[0]);
        using var large = staging.Take([12345, 16384], DType.UInt8);
        Assert.Equal([12345, 16384], large.Shape);
        staging.Free();
    }

    private static bool IsRouter(WeightSlot slot) => slot.Name.EndsWith("block_sparse_moe.gate.weight", StringComparison.Ordinal);

    private static Tensor Logits(CausalLanguageModel model)
    {
        using var tape = new Tape(isRecording: false);
        int[] ids = [.. Enumerable.Range(0, 48).Select(i => i * 7 % model.Config.VocabularySize)];
        return model.Head.Logits(model.Forward(tape, ids, SequenceLayout.Documents([20, 28])).Hidden.Value);
    }
}
