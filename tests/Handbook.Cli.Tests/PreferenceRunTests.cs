using System.Text.Json.Nodes;

namespace Handbook.Cli.Tests;

/// <summary>Preference runs of the real program: references of every kind, killed and taken up, swept.</summary>
public sealed class PreferenceRunTests
{
    [Fact]
    public void Dpo_StoredReference_EqualsTheLiveOne()
    {
        using var run = Based();
        run.RunCommand("dpo", run.PreferenceRecipe, "live", "--precision=fp32");
        var first = run.RunCommand("dpo", run.PreferenceRecipe, "stored", "--precision=fp32", "--precompute_ref_log_probs=true");
        var again = run.RunCommand("dpo", run.PreferenceRecipe, "again", "--precision=fp32",
            "--precompute_ref_log_probs=true", "--beta=0.5");

        var (live, stored) = (Losses(run, "live"), Losses(run, "stored"));
        Assert.Equal(8, live.Count);
        Assert.All(live.Zip(stored), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Contains("reference log-probabilities: 40 rows", first, StringComparison.Ordinal);
        Assert.DoesNotContain("reference log-probabilities:", again, StringComparison.Ordinal);
    }

    [Fact]
    public void Dpo_ReferenceThatFollows_KilledAndTakenUp_EndsWithTheSameBytes()
    {
        using var run = Based();
        string[] moving = ["--sync_ref_model=true", "--ref_model_sync_steps=3", "--ref_model_mixup_alpha=0.5"];
        run.RunCommand("dpo", run.PreferenceRecipe, "still");
        run.RunCommand("dpo", run.PreferenceRecipe, "whole", moving);
        using (var process = run.StartCommand("dpo", run.PreferenceRecipe, "killed", moving))
        {
            // After the first move of the reference, before the last.
            while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("saved checkpoint-4", StringComparison.Ordinal))
            {
            }
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(File.Exists(Path.Combine(run.Folder, "killed", "model.safetensors")));
        var text = run.RunCommand("dpo", run.PreferenceRecipe, "killed", moving);

        Assert.Contains("resuming training at checkpoint-", text, StringComparison.Ordinal);
        Assert.Equal(run.Hash("whole"), run.Hash("killed"));
        Assert.NotEqual(run.Hash("still"), run.Hash("whole"));
    }

    [Fact]
    public void Sweep_TwoKeys_RunsEveryCombinationOnceOverOneStore()
    {
        using var run = Based();
        string[] grid = ["--loss_type=sigmoid,ipo", "--beta=0.1,0.5", "--task=dpo", "--max_steps=2"];
        var text = run.RunCommand("sweep", run.PreferenceRecipe, "scan", grid);
        var again = run.RunCommand("sweep", run.PreferenceRecipe, "scan", grid);

        var runs = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Folder, "scan", "sweep.json")))!["runs"]!.AsArray();
        Assert.Equal(["loss_type-sigmoid_beta-0.1", "loss_type-sigmoid_beta-0.5", "loss_type-ipo_beta-0.1", "loss_type-ipo_beta-0.5"],
            runs.Select(one => (string)one!["name"]!));
        Assert.All(runs, one => Assert.NotNull(one!["metrics"]!["rewards/margins"]));
        Assert.Equal(2, text.Split("reference log-probabilities: ").Length);
        Assert.True(File.Exists(Path.Combine(run.Folder, "scan", "report.html")));
        Assert.DoesNotContain("step 1/2", again, StringComparison.Ordinal);
        Assert.Equal(5, again.Split("finished before").Length);
    }

    /// <summary>Every method, from the recipe to the folder, stopped in the middle and taken up: same bytes as in one go.</summary>
    [Theory]
    [InlineData("orpo", "pairs", "log_odds_ratio")]
    [InlineData("cpo", "pairs", "nll_loss", "--loss_type=simpo")]
    [InlineData("kto", "verdicts", "kl", "--precompute_ref_log_probs=true")]
    [InlineData("bco", "verdicts", "rewards/chosen")]
    [InlineData("reward", "pairs", "accuracy", "--center_rewards_coefficient=0.01")]
    public void Method_StoppedAndTakenUp_EndsWithTheSameBytes(string command, string data, string metric, params string[] keys)
    {
        using var run = Based();
        string[] arguments = [$"--dataset_name={run.Folder}/{data}.jsonl", .. keys];
        run.RunCommand(command, run.PreferenceRecipe, "whole", arguments);
        using (var process = run.StartCommand(command, run.PreferenceRecipe, "stopped", arguments))
        {
            while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("saved checkpoint-3", StringComparison.Ordinal))
            {
            }
            process.Kill();
            process.WaitForExit();
        }
        run.RunCommand(command, run.PreferenceRecipe, "stopped", arguments);

        Assert.Equal(run.Hash("whole"), run.Hash("stopped"));
        var state = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Folder, "whole", "trainer_state.json")))!;
        Assert.NotNull(state["log_history"]![0]![metric]);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Folder, "whole", "config.json")))!;
        Assert.Equal(command == "reward" ? "LlamaForSequenceClassification" : "LlamaForCausalLM", (string)config["architectures"]![0]!);
        Assert.Equal(command == "reward", config["id2label"] is JsonObject { Count: 1 });
    }

    [Fact]
    public void Reward_MarginsInTheData_AreAskedFor()
    {
        using var run = Based();
        var pairs = Path.Combine(run.Folder, "pairs.jsonl");
        File.WriteAllLines(Path.Combine(run.Folder, "margins.jsonl"),
            File.ReadLines(pairs).Select(line => line[..^1] + ", \"margin\": 6.0}"));
        run.RunCommand("reward", run.PreferenceRecipe, "plain", "--max_steps=1");
        run.RunCommand("reward", run.PreferenceRecipe, "margins", "--max_steps=1", $"--dataset_name={run.Folder}/margins.jsonl");

        // A new head tells nothing apart: -log sigmoid(0) without a margin, about the margin with one.
        Assert.InRange(Losses(run, "plain")[0], 0.5, 1.0);
        Assert.InRange(Losses(run, "margins")[0], 5.5, 6.5);
    }

    private static TinyRun Based()
    {
        var run = new TinyRun();
        run.Run("base", "--max_steps=12", "--save_strategy=no");
        return run;
    }

    private static List<double> Losses(TinyRun run, string output) =>
    [
        .. JsonNode.Parse(File.ReadAllText(Path.Combine(run.Folder, output, "trainer_state.json")))!["log_history"]!.AsArray()
            .Select(row => (double?)row!["loss"]).OfType<double>(),
    ];
}
