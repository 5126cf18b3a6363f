using System.Diagnostics;
using System.Security.Cryptography;
using Handbook.Tokenizers;
using Handbook.Tokenizers.Training;

namespace Handbook.Cli.Tests;

/// <summary>A folder with a tokenizer, a text and a recipe: a whole training run of the real program that takes seconds.</summary>
internal sealed class TinyRun : IDisposable
{
    private const string Words =
        "the quick brown fox jumps over a lazy dog while seven wise owls watch from an old oak and count every step it takes";

    public TinyRun()
    {
        Folder = Directory.CreateTempSubdirectory("handbook-run-").FullName;
        var words = Words.Split(' ');
        var lines = Enumerable.Range(0, 120)
            .Select(i => string.Join(' ', Enumerable.Range(0, 12).Select(j => words[(i * 7 + j * (1 + i % 5)) % words.Length])));
        File.WriteAllLines(Path.Combine(Folder, "text.jsonl"), lines.Select(line => $$"""{"text": "{{line}}"}"""));
        var trainer = new BpeTrainer(new BpeTrainerOptions { VocabSize = 300, SpecialTokens = ["<|end|>"] });
        trainer.Feed(Words);
        trainer.Train(new TokenizerSettings { EosToken = "<|end|>" }).Save(Path.Combine(Folder, "tokenizer"));
        WritePairs(words);
        File.WriteAllText(Recipe, $"""
            tokenizer_name_or_path: {Folder}/tokenizer
            model_config:
              model_type: llama
              hidden_size: 32
              intermediate_size: 64
              num_hidden_layers: 2
              num_attention_heads: 4
              num_key_value_heads: 2
              max_position_embeddings: 128
              tie_word_embeddings: true
            dataset_name: {Folder}/text.jsonl
            max_length: 64
            packing: true
            learning_rate: 1.0e-3
            lr_scheduler_type: cosine
            neftune_noise_alpha: 5
            per_device_train_batch_size: 2
            gradient_accumulation_steps: 2
            max_steps: 24
            logging_steps: 1
            save_steps: 1
            save_total_limit: 2
            seed: 7

            """);
    }

    public string Folder { get; }

    public string Recipe => Path.Combine(Folder, "recipe.yaml");

    /// <summary>A recipe of preference runs over the model that a first run left in <c>base</c>.</summary>
    public string PreferenceRecipe => Path.Combine(Folder, "preference.yaml");

    /// <summary>Starts the real program as a child process, its prepared data beside the recipe.</summary>
    public Process Start(string output, params string[] overrides) => StartCommand("cpt", Recipe, output, overrides);

    /// <summary>The same for another command and recipe.</summary>
    public Process StartCommand(string command, string recipe, string output, params string[] overrides)
    {
        var start = new ProcessStartInfo("dotnet", [
            Path.Combine(AppContext.BaseDirectory, "handbook.dll"), command, recipe,
            $"--output_dir={Path.Combine(Folder, output)}", .. overrides])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HANDBOOK_CACHE"] = Path.Combine(Folder, "cache");
        start.Environment["OMP_NUM_THREADS"] = "1";
        return Process.Start(start)!;
    }

    /// <summary>Runs to the end and gives what was printed.</summary>
    public string Run(string output, params string[] overrides) => RunCommand("cpt", Recipe, output, overrides);

    /// <summary>The same for another command and recipe.</summary>
    public string RunCommand(string command, string recipe, string output, params string[] overrides)
    {
        using var process = StartCommand(command, recipe, output, overrides);
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}\n{text}\n{errors.Result}");
        ScreenWords.Check(text);
        ScreenWords.Check(errors.Result);
        return text;
    }

    /// <summary>SHA-256 of a file of an output folder.</summary>
    public string Hash(string output, string file = "model.safetensors") =>
        Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, output, file))));

    private void WritePairs(string[] words)
    {
        string YesOrNo(bool value) => value ? "true" : "false";
        string Say(int start, int length) => string.Join(' ', Enumerable.Range(start, length).Select(i => words[i % words.Length]));
        File.WriteAllLines(Path.Combine(Folder, "pairs.jsonl"), Enumerable.Range(0, 40).Select(i =>
            $$"""{"prompt": "{{Say(i, 3 + i % 4)}}", "chosen": " {{Say(i + 5, 4)}}", "rejected": " {{Say(i * 3, 2 + i % 5)}}"}"""));
        File.WriteAllLines(Path.Combine(Folder, "verdicts.jsonl"), Enumerable.Range(0, 40).Select(i =>
            $$"""{"prompt": "{{Say(i, 3 + i % 4)}}", "completion": " {{Say(i * 2, 2 + i % 5)}}", "label": {{YesOrNo(i % 2 == 0)}}}"""));
        File.WriteAllText(PreferenceRecipe, $"""
            model_name_or_path: {Folder}/base
            dataset_name: {Folder}/pairs.jsonl
            max_length: 64
            learning_rate: 1.0e-3
            per_device_train_batch_size: 2
            gradient_accumulation_steps: 2
            max_steps: 8
            logging_steps: 1
            save_steps: 1
            save_total_limit: 2
            seed: 7

            """);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
