using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Text.Conversations;
using Handbook.Text.Tokenizers;
using Handbook.Text.Tokenizers.Training;
using Handbook.Torch;

namespace Handbook.Cli.Tests;

/// <summary>Rounds of sampling and training by the real program, killed in every part of them.</summary>
public sealed class SampleKillTests : IDisposable
{
    private const int Kills = 8;
    private readonly string folder = Directory.CreateTempSubdirectory("handbook-sample-").FullName;

    public SampleKillTests()
    {
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = 280, SpecialTokens = ["<|im_start|>", "<|im_end|>"] });
        trainer.Feed("hello there how are you today");
        var tokenizer = trainer.Train(new TokenizerSettings { EosToken = "<|im_end|>", ChatTemplate = ChatTemplate.ChatMl });
        var config = new JsonObject
        {
            ["model_type"] = "llama", ["vocab_size"] = tokenizer.VocabSize, ["hidden_size"] = 32, ["intermediate_size"] = 64, ["num_hidden_layers"] = 2,
            ["num_attention_heads"] = 4, ["num_key_value_heads"] = 2, ["max_position_embeddings"] = 128, ["tie_word_embeddings"] = true,
            ["initializer_range"] = 0.3, ["eos_token_id"] = tokenizer.EosId,
        };
        using (var model = CausalLanguageModel.Create(config, seed: 5, DType.Float32))
            model.Save(Path("policy"), DType.Float32);
        tokenizer.Save(Path("policy"));
        File.WriteAllLines(Path("prompts.jsonl"), Enumerable.Range(0, 14).Select(i => $$"""{"prompt": "hello {{i}}"}"""));
        File.WriteAllText(Path("dpo.yaml"), """
            task: dpo
            bf16: false
            learning_rate: 1.0e-4
            max_length: 96
            max_steps: 4
            per_device_train_batch_size: 2
            logging_steps: 1
            save_steps: 1
            save_total_limit: 1

            """);
        File.WriteAllText(Path("sample.yaml"), $"""
            task: sample
            model_name_or_path: {Path("policy")}
            dataset_name: {Path("prompts.jsonl")}
            num_generations: 4
            max_new_tokens: 16
            reward_funcs: words
            keep_truncated: true
            prompts_per_save: 2
            rounds: 2
            train_recipe: {Path("dpo.yaml")}

            """);
    }

    [Fact]
    public void Rounds_KilledAgainAndAgain_EndWithTheSameFiles()
    {
        Run("whole");
        var random = new Random(20261122);
        var killed = 0;
        for (var attempt = 0; killed < Kills; attempt++)
        {
            Assert.True(attempt < 3 * Kills, $"only {killed} of {attempt} attempts were killed before their end");
            if (File.Exists(Path("killed/report.html")))
            {
                AssertSame();
                Directory.Delete(Path("killed"), recursive: true);
            }
            killed += KillAfter(random.Next(6, 14), TimeSpan.FromMilliseconds(random.Next(0, 20))) ? 1 : 0;
        }
        Run("killed");
        AssertSame();
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Path(string name) => System.IO.Path.Combine(folder, name);

    private void AssertSame()
    {
        var files = Enumerable.Range(1, 2).SelectMany(round => new[] { "candidates.jsonl", "sft.jsonl", "preferences.jsonl", "report.html", "model/model.safetensors" }
            .Select(name => string.Create(CultureInfo.InvariantCulture, $"round-{round}/{name}"))).Append("report.html");
        Assert.All(files, file => Assert.Equal(Hash("whole", file), Hash("killed", file)));
    }

    // The report names the folder of the policy: the only word in which the two may differ.
    private string Hash(string output, string file) => file.EndsWith(".safetensors", StringComparison.Ordinal)
        ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path(output + "/" + file))))
        : File.ReadAllText(Path(output + "/" + file)).Replace(Path(output), "OUT", StringComparison.Ordinal).Replace($">{output}<", ">OUT<", StringComparison.Ordinal);

    private Process Start(string output)
    {
        var start = new ProcessStartInfo("dotnet", [System.IO.Path.Combine(AppContext.BaseDirectory, "handbook.dll"), "sample", Path("sample.yaml"), $"--output_dir={Path(output)}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HANDBOOK_CACHE"] = Path("cache");
        start.Environment["OMP_NUM_THREADS"] = "1";
        return Process.Start(start)!;
    }

    private void Run(string output)
    {
        using var process = Start(output);
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}\n{text}\n{errors.Result}");
    }

    /// <summary>True when the process was killed, false when it ended before. Moments are counted in lines, so that a slow machine kills in the same places.</summary>
    private bool KillAfter(int lines, TimeSpan later)
    {
        using var process = Start("killed");
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
}
