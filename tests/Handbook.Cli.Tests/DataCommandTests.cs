using Handbook.TestModels;

namespace Handbook.Cli.Tests;

[Collection(nameof(CacheOfItsOwn))]
public sealed class DataCommandTests : IClassFixture<TinyChat>, IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("data-command");

    private readonly TinyChat chat;

    public DataCommandTests(TinyChat chat)
    {
        this.chat = chat;
        CacheOfItsOwn.In(folder);
    }

    public void Dispose()
    {
        CacheOfItsOwn.Leave();
        folder.Delete(recursive: true);
    }

    private string Recipe()
    {
        var data = Path.Combine(folder.FullName, "stories.jsonl");
        File.WriteAllText(data, string.Concat(Enumerable.Range(0, 40).Select(i => $"{{\"text\":\"Once upon a time there was a cat with {i % 20} toys.\"}}\n")));
        var recipe = Path.Combine(folder.FullName, "cpt.yaml");
        File.WriteAllText(recipe, $"""
            task: cpt
            model_name_or_path: {chat.Policy}
            dataset_name: {data}
            output_dir: {Path.Combine(folder.FullName, "out")}
            packing: true
            max_length: 64
            """);
        return recipe;
    }

    [Fact]
    public async Task Prepare_Recipe_PrintsHashAndFolderAndIsReused()
    {
        var recipe = Recipe();
        var first = await Invocation.RunAsync("data", "prepare", recipe);
        Assert.True(first.ExitCode == ExitCodes.Success, first.Error);
        Assert.Contains("data prepared: 40 rows", first.Output, StringComparison.Ordinal);
        Assert.Contains("train: 40 examples", first.Output, StringComparison.Ordinal);
        var second = await Invocation.RunAsync("data", "prepare", recipe);
        Assert.DoesNotContain("data prepared:", second.Output, StringComparison.Ordinal);
        Assert.Equal(Line(first, "hash "), Line(second, "hash "));
        Assert.False(Directory.Exists(Path.Combine(folder.FullName, "out")));
    }

    [Fact]
    public async Task Stats_Recipe_CountsRepeatsAndPackings()
    {
        var invocation = await Invocation.RunAsync("data", "stats", Recipe());
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Contains("repeated examples: 20", invocation.Output, StringComparison.Ordinal);
        Assert.Contains("  best fit: ", invocation.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_CleaningKeys_RemoveAndReport()
    {
        var invocation = await Invocation.RunAsync("data", "prepare", Recipe(), "--deduplicate=exact", "--min_characters=46");
        Assert.Contains("examples removed: exact duplicate", invocation.Output, StringComparison.Ordinal);
        Assert.Contains("examples removed: shorter than min_characters", invocation.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_Recipe_WritesAFile()
    {
        var target = Path.Combine(folder.FullName, "rows.parquet");
        var invocation = await Invocation.RunAsync("data", "export", Recipe(), "--to", target);
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Equal("PAR1"u8.ToArray(), File.ReadAllBytes(target)[..4]);
        var missing = await Invocation.RunAsync("data", "export", Recipe(), "--to", target, "--evaluation");
        Assert.Equal((ExitCodes.UserError, "--evaluation: this recipe's data has no evaluation set."), (missing.ExitCode, missing.ErrorLines[^1]));
    }

    private static string Line(Invocation invocation, string start) => invocation.Output.Split('\n').Single(line => line.StartsWith(start, StringComparison.Ordinal));
}
