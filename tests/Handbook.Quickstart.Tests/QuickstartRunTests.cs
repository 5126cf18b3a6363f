using Handbook.TestModels;
using Handbook.Training.Artefacts;

namespace Handbook.Quickstart.Tests;

/// <summary>The quickstart's whole road with little data and few steps: what it makes, not how well it answers.</summary>
public sealed class QuickstartRunTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("handbook-quickstart-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task Execute_FewSteps_MakesEveryModelAndGoesOnWhenRunAgain()
    {
        var folder = new QuickstartFolder(Path.Combine(root, "out"));
        var (first, firstLines) = await RunAsync(folder);
        Assert.Equal(["cpt", "sft", null, null, "dpo"], first.Report.Stages.Select(stage => stage.Exam?.Model));
        Assert.All(first.Report.Stages, stage => Assert.NotEqual(0, stage.Exam?.Answers.Count));
        Assert.True(File.Exists(Path.Combine(folder.Model("sample"), "preferences.jsonl")));
        Assert.True(first.ParameterCount > 2_000_000);
        foreach (var stage in QuickstartRun.Plan.Select(stage => stage.Name).Where(name => name != "sample"))
        {
            foreach (var file in new[] { "model.safetensors", "config.json", "tokenizer.json", TrainerState.FileName, "README.md",
                "report.html", "checkpoint-2" })
                Assert.True(Path.Exists(Path.Combine(folder.Model(stage), file)), $"{stage}/{file}");
            Assert.True(File.Exists(Path.Combine(folder.Root, stage + ".yaml")));
            Assert.Equal(2, TrainerState.Load(Path.Combine(folder.Model(stage), TrainerState.FileName)).GlobalStep);
        }
        Assert.DoesNotContain(firstLines, line => line.Contains("resuming", StringComparison.Ordinal));

        var weights = File.ReadAllBytes(Path.Combine(folder.Model("dpo"), "model.safetensors"));
        var (_, againLines) = await RunAsync(folder);
        Assert.Equal(4, againLines.Count(line => line.Contains("resuming training at checkpoint-2", StringComparison.Ordinal)));
        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(folder.Model("dpo"), "model.safetensors")));

        var identity = Path.Combine(folder.Model("cpt"), "handbook_run.json");
        File.WriteAllText(identity, File.ReadAllText(identity).Replace("\"handbook ", "\"handbook 9.", StringComparison.Ordinal));
        var refused = await Assert.ThrowsAsync<UserErrorException>(() => RunAsync(folder));
        Assert.StartsWith($"--output {folder.Root}: {folder.Model("cpt")} is of another quickstart: it is of handbook 9.",
            refused.Message, StringComparison.Ordinal);
        Assert.EndsWith(". Add --fresh to begin anew, or name another --output.", refused.Message, StringComparison.Ordinal);

        var mine = Path.Combine(folder.Model("sft"), "checkpoint-2", "notes.txt");
        File.WriteAllText(mine, "mine");
        var (removed, kept) = folder.Clear(QuickstartRun.Plan.Select(stage => stage.Name));
        Assert.Equal([mine], kept);
        Assert.Equal(6, removed.Count);
        Assert.Equal([mine],
            Directory.GetDirectories(folder.Root).SelectMany(inner => Directory.GetFiles(inner, "*", SearchOption.AllDirectories)));
    }

    [Theory]
    [InlineData("report.html")]
    [InlineData("cpt.yaml")]
    public async Task Execute_FolderWithSomebodysFile_IsRefusedBeforeTheFirstStage(string name)
    {
        File.WriteAllText(Path.Combine(root, name), "mine");
        var refused = await Assert.ThrowsAsync<UserErrorException>(() => RunAsync(new QuickstartFolder(root)));
        Assert.Equal($"--output {root}: {Path.Combine(root, name)} is there already, and no quickstart made it; name another --output.",
            refused.Message);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(root, name)));
        Assert.False(Directory.Exists(Path.Combine(root, "data")));
    }

    private static async Task<(QuickstartResult Result, IReadOnlyList<string> Lines)> RunAsync(QuickstartFolder folder)
    {
        var progress = new NotingProgress();
        var run = new QuickstartRun(folder, progress, TimeProvider.System)
        {
            Data = new QuickstartDataOptions { CorpusRounds = 1 },
            TrainingOverrides = ["--max_steps=2"],
            // A model of two steps ends its answers by luck: cut ones count too, or there may be no pair.
            SamplingOverrides = ["--max_prompts=6", "--num_generations=2", "--min_margin=0", "--keep_truncated=true"],
        };
        var result = await run.ExecuteAsync(CancellationToken.None);
        Assert.NotNull(result);
        return (result, progress.Notes);
    }
}
