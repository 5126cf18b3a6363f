using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.TestModels;
using Handbook.Torch;

namespace Handbook.Cli.Tests;

/// <summary>A Gemma 3 that also sees images: whoever trains, samples or exports it is told once that this part stays behind.</summary>
[Collection(nameof(CacheOfItsOwn))]
public sealed class LeftBehindTests : IClassFixture<TinyChat>, IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("left-behind");
    private readonly TinyChat chat;

    public LeftBehindTests(TinyChat chat)
    {
        this.chat = chat;
        CacheOfItsOwn.In(folder);
    }

    public void Dispose()
    {
        CacheOfItsOwn.Leave();
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("sft", "--model_name_or_path={0}", "--dataset_name={1}", "--output_dir={2}", "--max_steps=1", "--max_length=64",
        "--report_to=none", "--use_peft=true", "--lora_dropout=0")]
    [InlineData("sample", "--model_name_or_path={0}", "--dataset_name={3}", "--output_dir={2}", "--max_new_tokens=2", "--num_generations=1",
        "--reward_funcs=words")]
    [InlineData("export", "gguf", "{0}", "--output", "{2}.gguf", "--type", "f32")]
    public async Task PartThatReadsImages_IsToldOfOnce(params string[] arguments)
    {
        var model = Gemma();
        string[] places = [model, Write("rows.jsonl",
            """{"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":"yes"}]}"""),
            Path.Combine(folder.FullName, "out"), Write("prompts.jsonl", """{"prompt":"hello"}""")];

        var run = await Invocation.RunAsync([.. arguments.Select(argument => string.Format(null, argument, places))]);

        Assert.True(run.ExitCode == ExitCodes.Success, run.Error + run.Output);
        Assert.Single((run.Output + run.Error).Split('\n'),
            line => line.Contains("what reads images stays behind (1 tensor)", StringComparison.Ordinal));
    }

    private string Gemma()
    {
        var path = Path.Combine(folder.FullName, "gemma");
        using var scope = new TensorScope();
        using var policy = CausalLanguageModel.Load(chat.Policy, DType.Float32);
        var text = new JsonObject
        {
            ["model_type"] = "gemma3_text", ["vocab_size"] = policy.Config.VocabularySize, ["hidden_size"] = 32,
            ["intermediate_size"] = 64, ["num_hidden_layers"] = 2, ["num_attention_heads"] = 4, ["num_key_value_heads"] = 2,
            ["head_dim"] = 8, ["max_position_embeddings"] = 512, ["sliding_window"] = 64, ["query_pre_attn_scalar"] = 8,
            ["eos_token_id"] = policy.Config.EosTokenIds[0],
        };
        using (var model = CausalLanguageModel.Create(text, 3, DType.Float32))
        {
            model.Save(path, DType.Float32);
            SafetensorsFolderWriter.Write(path,
            [
                .. model.Parameters.Select(parameter => new NamedTensor("language_model." + parameter.Name, parameter.Value)),
                new NamedTensor("vision_tower.encoder.weight", Tensor.Zeros([4, 4], DType.Float32)),
            ]);
        }
        ConfigFile.Write(Path.Combine(path, "config.json"), new JsonObject
        {
            ["architectures"] = new JsonArray("Gemma3ForConditionalGeneration"), ["model_type"] = "gemma3",
            ["text_config"] = text.DeepClone(), ["vision_config"] = new JsonObject { ["hidden_size"] = 4 },
        });
        foreach (var file in Directory.GetFiles(chat.Policy, "*token*").Append(Path.Combine(chat.Policy, "chat_template.jinja")))
            File.Copy(file, Path.Combine(path, Path.GetFileName(file)));
        return path;
    }

    private string Write(string name, string line)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, line + "\n");
        return path;
    }
}
