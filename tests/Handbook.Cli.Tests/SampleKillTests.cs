using System.Globalization;
using System.Security.Cryptography;

namespace Handbook.Cli.Tests;

/// <summary>The commands that make data, run by the real program and killed in every part of them.</summary>
public sealed class SampleKillTests : IDisposable
{
    private readonly TinyPolicy policy = new();

    [Fact]
    public void Sample_RoundsKilledAgainAndAgain_EndWithTheSameFiles()
    {
        var train = policy.Write("dpo.yaml", """
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
        var recipe = policy.Write("sample.yaml", $"""
            task: sample
            model_name_or_path: {policy.Model}
            dataset_name: {policy.Prompts}
            num_generations: 4
            max_new_tokens: 16
            reward_funcs: words
            keep_truncated: true
            prompts_per_save: 2
            rounds: 2
            train_recipe: {train}

            """);
        var files = Enumerable.Range(1, 2)
            .SelectMany(round => new[] { "candidates.jsonl", "sft.jsonl", "preferences.jsonl", "report.html", "model/model.safetensors" }
            .Select(name => string.Create(CultureInfo.InvariantCulture, $"round-{round}/{name}"))).Append("report.html");
        KillUntil(["sample", recipe], kills: 8, lines: (6, 14), [.. files]);
    }

    [Fact]
    public void Constitution_KilledAgainAndAgain_EndsWithTheSameFiles()
    {
        var principles = policy.Write("c.json",
            """{"constitutions": [{"critic": "rude?", "revision": "be kind"}, {"critic": "long?", "revision": "be brief"}]}""");
        KillUntil(
            ["constitution", $"--model_name_or_path={policy.Model}", $"--dataset_name={policy.Prompts}", $"--constitution={principles}",
                "--max_new_tokens=8", "--prompts_per_save=1"],
            kills: 4, lines: (7, 13), ["train_sft.jsonl", "train_prefs.jsonl", "report.html"]);
    }

    public void Dispose() => policy.Dispose();

    private void KillUntil(string[] command, int kills, (int From, int To) lines, string[] files)
    {
        policy.Run([.. command, $"--output_dir={policy.Path("whole")}"]);
        string[] again = [.. command, $"--output_dir={policy.Path("killed")}"];
        var random = new Random(20261122);
        var killed = 0;
        for (var attempt = 0; killed < kills; attempt++)
        {
            Assert.True(attempt < 3 * kills, $"only {killed} of {attempt} attempts were killed before their end");
            // A run that reached its end starts anew: there are more moments to die at.
            if (File.Exists(policy.Path("killed/report.html")))
            {
                AssertSame(files);
                Directory.Delete(policy.Path("killed"), recursive: true);
            }
            killed += policy.KillAfter(random.Next(lines.From, lines.To), TimeSpan.FromMilliseconds(random.Next(0, 20)), again) ? 1 : 0;
        }
        policy.Run(again);
        AssertSame(files);
    }

    private void AssertSame(string[] files) => Assert.All(files, file => Assert.Equal(Content("whole", file), Content("killed", file)));

    // A report names its folder: the only words in which the two may differ.
    private string Content(string output, string file) => file.EndsWith(".safetensors", StringComparison.Ordinal)
        ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(policy.Path($"{output}/{file}"))))
        : File.ReadAllText(policy.Path($"{output}/{file}")).Replace(policy.Path(output), "OUT", StringComparison.Ordinal)
            .Replace($">{output}<", ">OUT<", StringComparison.Ordinal);
}
