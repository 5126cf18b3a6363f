using System.Text.Json.Nodes;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests;

/// <summary>Folders of the Gemma 3 that also sees images: the text model is taken out of them.</summary>
public sealed class Gemma3FolderTests
{
    private static (string, JsonNode?)[] Fields =>
    [
        ("model_type", "gemma3_text"), ("architectures", null), ("sliding_window", 8), ("head_dim", 8), ("tie_word_embeddings", true),
        ("rms_norm_eps", 1e-6),
    ];

    [Theory]
    [InlineData("language_model.model.", "vision_tower.encoder.weight")]
    [InlineData("model.language_model.", "model.vision_tower.encoder.weight")]
    [InlineData("model.language_model.", "model.multi_modal_projector.mm_input_projection_weight")]
    public void Load_FolderWithVision_GivesItsTextModelAndSavesThat(string prefix, string other)
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using var model = TinyModels.Create(fields: Fields);
        WriteWithVision(model, temporary.File("both"), prefix, other);

        using var loaded = CausalLanguageModel.Load(temporary.File("both"));
        loaded.Save(temporary.File("text"), DType.Float32);

        using var again = CausalLanguageModel.Load(temporary.File("text"));
        Assert.Equal($"{temporary.File("both")}: what reads images stays behind (1 tensor); the text model is what is used and saved",
            loaded.LeftBehind);
        Assert.Null(again.LeftBehind);
        foreach (var (first, second) in model.Parameters.Zip(again.Parameters))
        {
            Assert.Equal(first.Name, second.Name);
            Assert.Equal(first.Value.ToArray<float>(), second.Value.ToArray<float>());
        }
        var config = ConfigFile.Read(temporary.File("text/config.json"));
        Assert.Equal(("gemma3_text", "Gemma3ForCausalLM", 1), (config["model_type"]!.GetValue<string>(),
            config["architectures"]![0]!.GetValue<string>(), again.Config.EosTokenIds.Single()));
        Assert.False(config.ContainsKey("vision_config"));
        using var file = new SafetensorsFile(temporary.File("text/model.safetensors"));
        Assert.All(file.Header.Tensors.Keys, name => Assert.StartsWith("model.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_TensorOfNoKnownPart_IsRefused()
    {
        using var temporary = new TemporaryFolder();
        using var scope = new TensorScope();
        using var model = TinyModels.Create(fields: Fields);
        WriteWithVision(model, temporary.Path, "language_model.model.", "audio_tower.weight");

        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.Path));

        Assert.Contains("tensor \"audio_tower.weight\" [4, 4] is not part of this model", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("attn_logit_softcapping", "50.0", "transformers' gemma3 caps no scores")]
    [InlineData("use_bidirectional_attention", "true", "is true, which is not supported")]
    [InlineData("vision_start", "3", "is not a field that gemma3_text has here")]
    public void Create_FieldThatChangesTheComputation_IsRefused(string key, string value, string expected)
    {
        var error = Assert.Throws<UserErrorException>(() => TinyModels.Create(fields: [.. Fields, (key, JsonNode.Parse(value))]));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static void WriteWithVision(CausalLanguageModel model, string path, string prefix, string other)
    {
        Directory.CreateDirectory(path);
        SafetensorsFolderWriter.Write(path,
        [
            .. model.Parameters.Select(parameter => new NamedTensor(prefix + parameter.Name["model.".Length..], parameter.Value)),
            new NamedTensor(other, Tensor.Zeros([4, 4], DType.Float32)),
        ]);
        var text = model.Config.Source.DeepClone().AsObject();
        foreach (var key in new[] { "architectures", "eos_token_id", "bos_token_id", "tie_word_embeddings" })
            text.Remove(key);
        ConfigFile.Write(Path.Combine(path, "config.json"), new JsonObject
        {
            ["architectures"] = new JsonArray("Gemma3ForConditionalGeneration"), ["model_type"] = "gemma3", ["text_config"] = text,
            ["vision_config"] = new JsonObject { ["hidden_size"] = 4 }, ["mm_tokens_per_image"] = 256, ["image_token_index"] = 130,
            ["boi_token_index"] = 128, ["eoi_token_index"] = 129, ["eos_token_id"] = new JsonArray(1), ["initializer_range"] = 0.02,
        });
    }
}
