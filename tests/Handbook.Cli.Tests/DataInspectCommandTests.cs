using Handbook.TestSupport;

namespace Handbook.Cli.Tests;

public sealed class DataInspectCommandTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("data-inspect");

    public void Dispose() => folder.Delete(recursive: true);

    private string Recipe(string labels = "assistant_only_loss: true")
    {
        var data = Path.Combine(folder.FullName, "rows.jsonl");
        File.WriteAllText(data, string.Concat(Enumerable.Range(0, 5).Select(i =>
            $$"""{"messages":[{"role":"user","content":"Say {{i}}."},{"role":"assistant","content":"The cat said {{i}}."}]}""" + "\n"))
            + """{"messages":[{"role":"user","content":"Nobody answers."}]}""" + "\n");
        var recipe = Path.Combine(folder.FullName, "sft.yaml");
        File.WriteAllText(recipe, $$$"""
            task: sft
            model_name_or_path: {{{Path.Combine(SharedFolders.Data, "models", "stories260K", "hf")}}}
            dataset_name: {{{data}}}
            output_dir: {{{Path.Combine(folder.FullName, "out")}}}
            chat_template: "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
            max_length: 64
            packing: true
            {{{labels}}}
            """);
        return recipe;
    }

    [Fact]
    public async Task Inspect_Recipe_ShowsTokensLabelsAndTheSummary()
    {
        var invocation = await Invocation.RunAsync("data", "inspect", Recipe(), "--example", "2", "--count", "1");
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Contains("rows.jsonl, line 2: ", invocation.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("line 3: ", invocation.Output, StringComparison.Ordinal);
        Assert.Matches(@"\*    1 assistant    ", invocation.Output);
        Assert.DoesNotMatch(@"\*    0 user", invocation.Output);
        Assert.Contains("examples: 6,", invocation.Output, StringComparison.Ordinal);
        Assert.Contains("unlabelled: 1", invocation.Output, StringComparison.Ordinal);
        Assert.Contains("! 1 times: no token is a label", invocation.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_Html_WritesAPage()
    {
        var page = Path.Combine(folder.FullName, "look.html");
        var invocation = await Invocation.RunAsync("data", "inspect", Recipe(), "--html", page);
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Contains("message 1 (assistant) \u00b7 label", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_ExampleBeyondTheEnd_SaysHowManyThereAre()
    {
        var invocation = await Invocation.RunAsync("data", "inspect", Recipe(), "--example", "99");
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.Contains("there are 6 examples", invocation.Error, StringComparison.Ordinal);
    }
}
