using System.Text.Json.Nodes;
using Handbook.Models.Configuration;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Models.Tests;

/// <summary>A stranger's config.json asks for a model that no file and no machine has: said at once, without building it.</summary>
public sealed class ImplausibleConfigTests
{
    [Theory]
    [InlineData("num_hidden_layers", 1_000_000, "tensor model.layers.2.")]
    [InlineData("num_hidden_layers", 2_000_000_000, "num_hidden_layers must be at most 1000000, got 2000000000")]
    [InlineData("head_dim", 100_000_000, "the configuration needs [400000000, 32]")]
    [InlineData("head_dim", 1_000_000_000, "head_dim (1000000000) times num_attention_heads (4) is more than 2147483647")]
    [InlineData("max_position_embeddings", int.MaxValue, null)]
    [InlineData("vocab_size", int.MaxValue, "model.embed_tokens.weight is [64, 32], the configuration needs [2147483647, 32]")]
    [InlineData("intermediate_size", int.MaxValue, "the configuration needs [2147483647, 32]")]
    public void Load_SaysWhatDoesNotFit(string key, int value, string? expected)
    {
        using var temporary = new TemporaryFolder();
        using (var model = CausalLanguageModel.Create(Tiny(), 1, DType.Float32))
            model.Save(temporary.Path, DType.Float32);
        var path = Path.Combine(temporary.Path, ConfigFile.Name);
        var config = ConfigFile.Read(path);
        config[key] = value;
        ConfigFile.Write(path, config);
        if (expected is null)
        {
            CausalLanguageModel.Load(temporary.Path).Dispose();
            return;
        }
        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.Path).Dispose());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Split('\n').Length, 1, 9);
    }

    [Theory]
    [InlineData("num_hidden_layers", 1_000_000)]
    [InlineData("head_dim", 100_000_000)]
    [InlineData("hidden_size", 1_000_000_000)]
    [InlineData("intermediate_size", int.MaxValue)]
    [InlineData("vocab_size", int.MaxValue)]
    public void Create_SaysThatItDoesNotFitTheMachine(string key, int value)
    {
        var config = Tiny();
        config["hidden_size"] = 4096;
        config[key] = value;
        var error = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Create(config, 1, DType.Float32).Dispose());
        Assert.Contains("this machine has", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ManyMissingTensors_AreCounted_AndNoNameIsOfferedTwice()
    {
        using var temporary = new TemporaryFolder();
        using (var model = CausalLanguageModel.Create(Tiny(), 1, DType.Float32))
            model.Save(temporary.Path, DType.Float32);
        var path = Path.Combine(temporary.Path, ConfigFile.Name);
        var config = ConfigFile.Read(path);
        config["num_hidden_layers"] = 5;
        config["attention_bias"] = true;
        ConfigFile.Write(path, config);
        var lines = Assert.Throws<UserErrorException>(() => CausalLanguageModel.Load(temporary.Path).Dispose()).Message.Split('\n');
        Assert.Equal(9, lines.Length);
        // Two layers lack 4 biases each, three layers all of their 9 weights and 4 biases.
        Assert.EndsWith(": and 39 more.", lines[^1], StringComparison.Ordinal);
        var hints = lines.Select(line => line.Split("Did you mean ")).Where(parts => parts.Length == 2).Select(parts => parts[1]).ToList();
        Assert.Equal(hints.Distinct(), hints);
    }

    private static JsonObject Tiny() => new()
    {
        ["model_type"] = "llama",
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["hidden_size"] = 32,
        ["intermediate_size"] = 48,
        ["num_hidden_layers"] = 2,
        ["num_attention_heads"] = 4,
        ["vocab_size"] = 64,
        ["tie_word_embeddings"] = true,
    };
}
