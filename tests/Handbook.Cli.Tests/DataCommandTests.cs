using Handbook.TestModels;
using Handbook.TestSupport;

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
        File.WriteAllText(data,
            string.Concat(Enumerable.Range(0, 40).Select(i => $"{{\"text\":\"Once upon a time there was a cat with {i % 20} toys.\"}}\n")));
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

    [Theory]
    [InlineData("export", "--to")]
    [InlineData("inspect", "--html")]
    public async Task Outputs_OthersStay_OursAreReplaced_LinksAreFollowed(string command, string option)
    {
        var recipe = Recipe();
        var (mine, target, link) = (Path.Combine(folder.FullName, "mine"), Path.Combine(folder.FullName, "target"),
            Path.Combine(folder.FullName, "link"));
        File.WriteAllText(mine, "precious");
        File.CreateSymbolicLink(link, target);
        var refused = await Invocation.RunAsync("data", command, recipe, option, mine);
        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Equal($"{option} {mine}: a file that this command did not write is there already; name another, or add --overwrite.",
            Assert.Single(refused.ErrorLines));
        Assert.Equal("precious", File.ReadAllText(mine));
        foreach (var path in new[] { link, link, mine })
        {
            var done = await Invocation.RunAsync(["data", command, recipe, option, path,
                .. path == mine ? ["--overwrite"] : Array.Empty<string>()]);
            Assert.True(done.ExitCode == ExitCodes.Success, done.Error);
        }
        Assert.Equal(target, new FileInfo(link).LinkTarget);
        Assert.True(new FileInfo(target).Length > 1000);
        Assert.True(new FileInfo(mine).Length > 1000);
        Assert.Empty(Directory.GetFileSystemEntries(folder.FullName, "*.partial"));
    }

    [Theory]
    [InlineData("export", "--to")]
    [InlineData("inspect", "--html")]
    public async Task Outputs_WhatIsNoFile_IsRefusedBeforeAnyWork(string command, string option)
    {
        var pipe = SpecialFiles.MakePipe(Path.Combine(folder.FullName, "pipe"));
        foreach (var path in new[] { pipe, folder.FullName })
        {
            var refused = await Invocation.RunAsync("data", command, Recipe(), option, path, "--overwrite");
            Assert.Equal(ExitCodes.UserError, refused.ExitCode);
            Assert.EndsWith(" stands here; a new name or an ordinary file is expected.",
                Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
            Assert.Equal("", refused.Output);
        }
    }

    [Theory]
    [InlineData("export", "--to")]
    [InlineData("inspect", "--html")]
    public async Task Outputs_FolderThatCannotBeWritten_IsRefusedBeforeAnyWork(string command, string option)
    {
        // A name so long that nobody makes a file of it, whoever runs the tests; root may write to any folder.
        var page = Path.Combine(folder.FullName, new string('p', 250));
        var refused = await Invocation.RunAsync("data", command, Recipe(), option, page);
        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.StartsWith($"{option} {page}: cannot be written: ", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("", refused.Output);
    }

    [Theory]
    [InlineData("export", "--to")]
    [InlineData("inspect", "--html")]
    public async Task Outputs_WhatTheCommandReads_IsRefusedUnderEveryName(string command, string option)
    {
        var recipe = Recipe();
        var link = Path.Combine(folder.FullName, "link-to-data");
        File.CreateSymbolicLink(link, Path.Combine(folder.FullName, "stories.jsonl"));
        foreach (var path in new[] { recipe, link, Path.Combine(folder.FullName, ".", "stories.jsonl"),
            Path.Combine(chat.Policy, "tokenizer.json") })
        {
            var before = File.ReadAllBytes(path);
            var refused = await Invocation.RunAsync("data", command, recipe, option, path, "--overwrite");
            Assert.Equal(ExitCodes.UserError, refused.ExitCode);
            Assert.Contains(" read here; name another.", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
            Assert.Equal(before, File.ReadAllBytes(path));
        }
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
        Assert.Equal((ExitCodes.UserError, "--evaluation: this recipe's data has no evaluation set."),
            (missing.ExitCode, missing.ErrorLines[^1]));
    }

    private static string Line(Invocation invocation, string start) =>
        invocation.Output.Split('\n').Single(line => line.StartsWith(start, StringComparison.Ordinal));
}
