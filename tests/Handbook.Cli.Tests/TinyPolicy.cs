using System.Diagnostics;
using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Text.Conversations;
using Handbook.Text.Tokenizers;
using Handbook.Text.Tokenizers.Training;
using Handbook.Torch;

namespace Handbook.Cli.Tests;

/// <summary>A folder with a chat model of random weights and prompts for it, and the real program at work in it.</summary>
internal sealed class TinyPolicy : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-policy-").FullName;

    public TinyPolicy()
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = 280, SpecialTokens = ["<|im_start|>", "<|im_end|>"] });
        trainer.Feed("hello there how are you today");
        var tokenizer = trainer.Train(new TokenizerSettings { EosToken = "<|im_end|>", ChatTemplate = ChatTemplate.ChatMl });
        var config = new JsonObject
        {
            ["model_type"] = "llama", ["vocab_size"] = tokenizer.VocabSize, ["hidden_size"] = 32, ["intermediate_size"] = 64, ["num_hidden_layers"] = 2,
            ["num_attention_heads"] = 4, ["num_key_value_heads"] = 2, ["max_position_embeddings"] = 256, ["tie_word_embeddings"] = true,
            ["initializer_range"] = 0.3, ["eos_token_id"] = tokenizer.EosId,
        };
        using (var model = CausalLanguageModel.Create(config, seed: 5, DType.Float32))
            model.Save(Model, DType.Float32);
        tokenizer.Save(Model);
        Prompts = Write("prompts.jsonl", string.Concat(Enumerable.Range(0, 14).Select(i => $$"""{"prompt": "hello {{i}}"}""" + "\n")));
    }

    public string Model => Path("policy");

    public string Prompts { get; }

    public string Path(string name) => System.IO.Path.Combine(folder, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(Path(name), text);
        return Path(name);
    }

    /// <summary>Starts the real program as a child process.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [System.IO.Path.Combine(AppContext.BaseDirectory, "handbook.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HANDBOOK_CACHE"] = Path("cache");
        start.Environment["OMP_NUM_THREADS"] = "1";
        return Process.Start(start)!;
    }

    /// <summary>Runs the real program to its end.</summary>
    public void Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}\n{text}\n{errors.Result}");
    }

    /// <summary>
    /// Starts the real program and kills it a while after so many lines of output, so that a slow machine kills in the same places.
    /// True when it was killed, false when it ended before.
    /// </summary>
    public bool KillAfter(int lines, TimeSpan later, params string[] arguments)
    {
        using var process = Start(arguments);
        _ = process.StandardError.ReadToEndAsync();
        for (var seen = 0; seen < lines; seen++)
        {
            if (process.StandardOutput.ReadLine() is null)
                break;
        }
        Thread.Sleep(later);
        process.Kill();
        process.WaitForExit();
        return process.ExitCode != 0;
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
