namespace Handbook.Cli.Tests;

/// <summary>Runs of the real program, killed where it hurts, must end as if nothing had happened.</summary>
public sealed class KillTests
{
    private const int Kills = 20;

    /// <summary>
    /// The moments are counted in lines that the program prints (and a few milliseconds after one), not in time since the start,
    /// so that a slow machine kills in the same places. Each step saves, so many of them fall into a save.
    /// </summary>
    [Fact]
    public void Cpt_KilledTwentyTimes_EndsWithTheSameBytes()
    {
        using var run = new TinyRun();
        run.Run("whole");
        var random = new Random(20261122);
        var killed = 0;
        for (var attempt = 0; killed < Kills; attempt++)
        {
            Assert.True(attempt < 3 * Kills, $"only {killed} of {attempt} attempts were killed before their end");
            // A run that reached its end starts anew: there are more moments to die at than steps.
            if (killed > 0 && File.Exists(Path.Combine(run.Folder, "killed", "train_results.json")))
            {
                Assert.Equal(run.Hash("whole"), run.Hash("killed"));
                Directory.Delete(Path.Combine(run.Folder, "killed"), recursive: true);
            }
            killed += KillAfter(() => run.Start("killed"), random.Next(1, 12), TimeSpan.FromMilliseconds(random.Next(0, 25))) ? 1 : 0;
        }
        run.Run("killed");
        Assert.Equal(run.Hash("whole"), run.Hash("killed"));
        Assert.Equal(run.Hash("whole", "checkpoint-24/optimizer.safetensors"), run.Hash("killed", "checkpoint-24/optimizer.safetensors"));
        Assert.Equal(["checkpoint-23", "checkpoint-24"],
            Directory.GetDirectories(Path.Combine(run.Folder, "killed"), "checkpoint-*").Select(Path.GetFileName).Order());
    }

    /// <summary>QLoRA: an adapter on weights that are put into codes anew each time.</summary>
    [Fact]
    public void Dpo_OfAnAdapterOnCodes_KilledFiveTimes_EndsWithTheSameBytes()
    {
        string[] qlora = ["--use_peft=true", "--load_in_4bit=true", "--use_bnb_nested_quant=true", "--lora_target_modules=all-linear",
            "--lora_dropout=0.2", "--max_steps=60"];
        using var run = new TinyRun();
        run.Run("base", "--max_steps=2");
        run.RunCommand("dpo", run.PreferenceRecipe, "whole", qlora);
        var random = new Random(20261128);
        var killed = 0;
        for (var attempt = 0; killed < 5; attempt++)
        {
            Assert.True(attempt < 15, $"only {killed} of {attempt} attempts were killed before their end");
            if (killed > 0 && File.Exists(Path.Combine(run.Folder, "killed", "train_results.json")))
                Directory.Delete(Path.Combine(run.Folder, "killed"), recursive: true);
            killed += KillAfter(() => run.StartCommand("dpo", run.PreferenceRecipe, "killed", qlora), random.Next(1, 8),
                TimeSpan.FromMilliseconds(random.Next(0, 25))) ? 1 : 0;
        }
        run.RunCommand("dpo", run.PreferenceRecipe, "killed", qlora);

        string[] files = ["adapter_model.safetensors", "adapter_config.json", "lineage.json", "checkpoint-60/optimizer.safetensors"];
        foreach (var file in files)
            Assert.Equal(run.Hash("whole", file), run.Hash("killed", file));
        Assert.Contains("\"quantization\": \"nf4 double\"", File.ReadAllText(Path.Combine(run.Folder, "whole", "lineage.json")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Cpt_FlippedByteInNewestCheckpoint_IsNamedAndTheOneBeforeIsUsed()
    {
        using var run = new TinyRun();
        run.Run("whole");
        run.Run("flipped", "--max_steps=24");
        Directory.GetFiles(Path.Combine(run.Folder, "flipped")).ToList().ForEach(File.Delete);
        var weights = Path.Combine(run.Folder, "flipped", "checkpoint-24", "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^100] ^= 0x10;
        File.WriteAllBytes(weights, bytes);

        var text = run.Run("flipped");

        Assert.Contains("skipped checkpoint-24: ", text, StringComparison.Ordinal);
        Assert.Contains("model.safetensors", text, StringComparison.Ordinal);
        Assert.Contains("resuming training at checkpoint-23", text, StringComparison.Ordinal);
        Assert.Equal(run.Hash("whole"), run.Hash("flipped"));
    }

    [Fact]
    public void Cpt_Terminated_SavesAndLeavesWithItsCode()
    {
        using var run = new TinyRun();
        run.Run("whole");
        using (var process = run.Start("stopped", "--save_strategy=no"))
        {
            ReadLines(process.StandardOutput, "step ", 5);
            using var kill = System.Diagnostics.Process.Start("kill",
                ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(ExitCodes.Terminated, process.ExitCode);
        }
        Assert.Single(Directory.GetDirectories(Path.Combine(run.Folder, "stopped"), "checkpoint-*"));
        run.Run("stopped");
        Assert.Equal(run.Hash("whole"), run.Hash("stopped"));
    }

    /// <summary>True when the process was killed, false when it ended before.</summary>
    private static bool KillAfter(Func<System.Diagnostics.Process> start, int steps, TimeSpan later)
    {
        using var process = start();
        _ = process.StandardError.ReadToEndAsync();
        var seen = ReadLines(process.StandardOutput, "step ", steps);
        if (seen < steps)
        {
            process.WaitForExit();
            return false;
        }
        Thread.Sleep(later);
        process.Kill();
        process.WaitForExit();
        return process.ExitCode != 0;
    }

    private static int ReadLines(StreamReader output, string prefix, int count)
    {
        var seen = 0;
        while (seen < count && output.ReadLine() is { } line)
            seen += line.StartsWith(prefix, StringComparison.Ordinal) ? 1 : 0;
        return seen;
    }
}
