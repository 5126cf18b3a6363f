using System.Text;
using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Models.Generation;
using Handbook.TestSupport;
using Handbook.Tokenizers;
using Handbook.Torch;

namespace Handbook.Sampling.Tests;

/// <summary>What a model's own files say of generation: defaults, ends, and stop texts in pieces of characters.</summary>
public sealed class ModelDefaultsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private PolicyOptions Policy(params string[] silent) => new() { ModelFolder = folder.Path, LeftToModel = silent };

    [Fact]
    public void Of_SilentRecipe_TakesTheModelsSettingsAndSaysSo()
    {
        File.WriteAllText(folder.File("generation_config.json"),
            """{"temperature": 0.6, "top_k": 20, "top_p": 0.95, "eos_token_id": [2, 426], "no_repeat_ngram_size": 2}""");
        var given = new SampleSettings { Sampling = new SamplingOptions { TopP = 0.5 } };
        var defaults = ModelDefaults.Of(Policy("temperature", "top_k", "min_p", "stop_strings"), given);
        Assert.Equal(new SamplingOptions { Temperature = 0.6, TopK = 20, TopP = 0.5 }, defaults.Settings.Sampling);
        Assert.Equal($"temperature 0.6, top_k 20, eos_token_id 2, 426 from {folder.File("generation_config.json")}", defaults.Fact);
        Assert.Equal($"{folder.File("generation_config.json")}: no_repeat_ngram_size has no effect here", defaults.Remark);
    }

    [Fact]
    public void Of_RecipeThatSaysAll_OrModelThatSaysNothing_StaysAsItIs()
    {
        var given = new SampleSettings { Sampling = new SamplingOptions { Temperature = 0.3 }, StopStrings = ["x"] };
        Assert.Equal((given, null),
            (ModelDefaults.Of(Policy([.. PolicyOptions.ModelSettings]), given).Settings, ModelDefaults.Of(Policy(), given).Fact));
        File.WriteAllText(folder.File("generation_config.json"), """{"temperature": 0.6, "stop_strings": ["y"]}""");
        Assert.Equal(given, ModelDefaults.Of(Policy(), given).Settings);
    }

    /// <summary>Every character is three tokens: whatever the answer's length, a stop text is found where its last byte comes.</summary>
    [Fact]
    public async Task Sample_StopStringInPiecesOfCharacters_EndsTheAnswer()
    {
        SaveModel();
        var stop = "\u3002\u7d42";
        using var sampler = Policy().Open(TimeProvider.System);
        var settings = new SampleSettings { Count = 24, MaxNewTokens = 600, Sampling = new SamplingOptions { Temperature = 1 } };
        var prompt = new SamplePrompt(Data.Examples.Turns.Of("\u65e5"), 3);
        var free = (await sampler.SampleAsync([prompt], settings))[0].Completions;
        var cut = (await sampler.SampleAsync([prompt], settings with { StopStrings = [stop] }))[0].Completions;
        Assert.Contains(free, answer => answer.Text.Contains(stop, StringComparison.Ordinal));
        foreach (var (whole, ended) in free.Zip(cut))
        {
            var at = whole.Text.IndexOf(stop, StringComparison.Ordinal);
            Assert.Equal((at < 0 ? whole.Text : whole.Text[..at], at < 0), (ended.Text, ended.IsTruncated));
            if (at >= 0)
                Assert.Equal(3 * (at + stop.Length), ended.Tokens);
        }
    }

    public void Dispose() => folder.Dispose();

    /// <summary>
    /// A byte-fallback tokenizer and a model that writes nothing but five characters of three bytes each: one layer that computes
    /// nothing, and a head in which a byte's row says which byte may follow.
    /// </summary>
    private void SaveModel()
    {
        string[] characters = ["\u65e5", "\u672c", "\u3002", "\u7d42", "\u8a9e"];
        var vocabulary = new JsonObject { ["<unk>"] = 0 };
        for (var value = 0; value < 256; value++)
            vocabulary[$"<0x{value:X2}>"] = value + 1;
        var tokenizer = new JsonObject
        {
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray(), ["byte_fallback"] = true, ["unk_token"] = "<unk>",
            },
            ["decoder"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["decoders"] = new JsonArray(new JsonObject { ["type"] = "ByteFallback" }, new JsonObject { ["type"] = "Fuse" }),
            },
        };
        File.WriteAllText(folder.File("tokenizer.json"), tokenizer.ToJsonString());
        const int Width = 264;
        var config = new JsonObject
        {
            ["model_type"] = "llama", ["vocab_size"] = 257, ["hidden_size"] = Width, ["intermediate_size"] = 8,
            ["num_hidden_layers"] = 1, ["num_attention_heads"] = 4,
            ["max_position_embeddings"] = 1024, ["tie_word_embeddings"] = false,
        };
        using var model = CausalLanguageModel.Create(config, seed: 1, DType.Float32);
        var embedding = new float[257 * Width];
        var head = new float[257 * Width];
        for (var token = 0; token < 257; token++)
            embedding[token * Width + token] = 1;
        // A byte's embedding after the norm is sqrt(Width) in its own place.
        void Follow(int byteValue, int next) => head[(next + 1) * Width + byteValue + 1] = 3;
        foreach (var bytes in characters.Select(Encoding.UTF8.GetBytes))
        {
            Follow(bytes[0], bytes[1]);
            Follow(bytes[1], bytes[2]);
            foreach (var first in characters.Select(character => Encoding.UTF8.GetBytes(character)[0]))
                Follow(bytes[2], first);
        }
        model.Save(folder.Path, DType.Float32, parameter => parameter.Name switch
        {
            "model.embed_tokens.weight" => Tensor.From<float>(embedding, [257, Width]),
            "lm_head.weight" => Tensor.From<float>(head, [257, Width]),
            var name when name.EndsWith("o_proj.weight", StringComparison.Ordinal)
                || name.EndsWith("down_proj.weight", StringComparison.Ordinal) => Tensor.Zeros([.. parameter.Value.Shape], DType.Float32),
            _ => parameter.Value,
        });
    }
}
