using Handbook.Autograd;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.Models.Tests.EveryArchitecture;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests;

/// <summary>Experts as folders hold them: one by one, joined as transformers 5 has them, in MXFP4.</summary>
public sealed class ExpertFolderTests
{
    [Theory]
    [InlineData("mixtral")]
    [InlineData("qwen3_moe")]
    public void Load_ExpertsInTwoTensors_IsTheSameModelAndIsSavedSo(string modelType)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using var apart = TinyArchitectures.Create(modelType);
        JoinedExperts.Write(apart, temporary.File("joined"));

        using var joined = CausalLanguageModel.Load(temporary.File("joined"));
        joined.Save(temporary.File("again"), DType.Float32);

        Assert.InRange(Logits(joined).MaxAbsDifference(Logits(apart)), 0, 1e-5);
        Assert.Equal(File.ReadAllBytes(temporary.File("joined/model.safetensors")),
            File.ReadAllBytes(temporary.File("again/model.safetensors")));
    }

    [Fact]
    public void Load_ExpertsInMxfp4_GivesTheirValuesAndSavesThemInFull()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        var config = TinyArchitectures.Config("gpt_oss");
        (config["hidden_size"], config["intermediate_size"]) = (64, 32);
        using (var model = CausalLanguageModel.Create(config, 1, DType.BFloat16))
            WriteMicroscaled(model, temporary.File("packed"));

        using var loaded = CausalLanguageModel.Load(temporary.File("packed"));
        loaded.Save(temporary.File("full"), DType.BFloat16);

        using var packed = new SafetensorsFile(temporary.File("packed/model.safetensors"));
        using var full = new SafetensorsFile(temporary.File("full/model.safetensors"));
        Assert.Equal(DType.BFloat16, loaded.StoredDType);
        foreach (var (name, rows) in new[] { ("gate_up_proj", 64), ("down_proj", 64) })
        {
            var stem = "model.layers.1.mlp.experts." + name;
            var blocks = packed.Get(stem + "_blocks").ToArray<byte>();
            var scales = packed.Get(stem + "_scales").ToArray<byte>();
            // The files hold [experts, inputs, outputs]; bytes lie along the inputs.
            var values = full.Get(stem).Transpose(1, 2).Contiguous().ToArray<float>();
            Assert.Equal(2 * blocks.Length, values.Length);
            for (var i = 0; i < values.Length; i++)
            {
                var code = i % 2 == 0 ? blocks[i / 2] & 15 : blocks[i / 2] >> 4;
                Assert.Equal((float)(Decode(code) * Math.Pow(2, scales[i / 32] - 127)), values[i]);
            }
        }
        Assert.False(ConfigFile.Read(temporary.File("full/config.json")).ContainsKey("quantization_config"));
        using var again = CausalLanguageModel.Load(temporary.File("full"));
        Assert.Equal(Logits(loaded).ToArray<float>(), Logits(again).ToArray<float>());
    }

    [Fact]
    public void Load_Mxfp4OfAnotherShape_IsRefusedByName()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        var config = TinyArchitectures.Config("gpt_oss");
        (config["hidden_size"], config["intermediate_size"]) = (64, 32);
        using (var model = CausalLanguageModel.Create(config, 1, DType.BFloat16))
            WriteMicroscaled(model, temporary.Path);
        var json = ConfigFile.Read(temporary.File("config.json"));
        json["num_local_experts"] = 3;
        ConfigFile.Write(temporary.File("config.json"), json);

        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.Path));

        Assert.Contains("mlp.experts.gate_up_proj_scales is U8 [4, 64, 2], the configuration needs U8 [3, 64, 2].", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_QuantisationOfAnotherKind_IsRefused()
    {
        var config = TinyArchitectures.Config("gpt_oss");
        config["quantization_config"] = new System.Text.Json.Nodes.JsonObject { ["quant_method"] = "awq" };

        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Create(config, 1, DType.Float32));

        Assert.Contains("quantization_config", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Every code and many exponents in the experts' places.</summary>
    private static void WriteMicroscaled(CausalLanguageModel model, string path)
    {
        model.Save(path, DType.BFloat16);
        var tensors = new List<NamedTensor>();
        var random = new Random(2);
        foreach (var parameter in model.Parameters)
        {
            var shape = parameter.Value.Shape;
            if (shape.Length < 3)
            {
                tensors.Add(new NamedTensor(parameter.Name, parameter.Value));
                continue;
            }
            var codes = new byte[parameter.Value.ElementCount / 2];
            random.NextBytes(codes);
            var exponents = Enumerable.Range(0, codes.Length / 16).Select(_ => (byte)random.Next(118, 130)).ToArray();
            tensors.Add(new NamedTensor(parameter.Name + "_blocks", Tensor.From<byte>(codes, [shape[0], shape[1], shape[2] / 32, 16])));
            tensors.Add(new NamedTensor(parameter.Name + "_scales", Tensor.From<byte>(exponents, [shape[0], shape[1], shape[2] / 32])));
        }
        SafetensorsFolderWriter.Write(path, tensors);
        var json = ConfigFile.Read(Path.Combine(path, "config.json"));
        json["quantization_config"] = new System.Text.Json.Nodes.JsonObject { ["quant_method"] = "mxfp4" };
        ConfigFile.Write(Path.Combine(path, "config.json"), json);
    }

    /// <summary>A sign, two bits of exponent from 1, one of the fraction; without an exponent the fraction counts halves.</summary>
    private static double Decode(int code)
    {
        var (sign, exponent, fraction) = (code >> 3, code >> 1 & 3, code & 1);
        return (sign == 1 ? -1 : 1) * (exponent == 0 ? 0.5 * fraction : Math.Pow(2, exponent - 1) * (1 + 0.5 * fraction));
    }

    private static Tensor Logits(CausalLanguageModel model)
    {
        using var tape = new Tape(isRecording: false);
        var hidden = model.Forward(tape, TinyArchitectures.Tokens(12, 4), SequenceLayout.Documents([12])).Hidden;
        return model.Head.Logits(hidden.Value).To(DType.Float32);
    }
}
