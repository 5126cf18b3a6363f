using Handbook.TestModels;

namespace Handbook.Cli.Tests;

[Collection(nameof(CacheOfItsOwn))]
public sealed class DataInspectCommandTests : IClassFixture<TinyChat>, IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("data-inspect");

    private readonly TinyChat chat;

    public DataInspectCommandTests(TinyChat chat)
    {
        this.chat = chat;
        CacheOfItsOwn.In(folder);
    }

    public void Dispose()
    {
        CacheOfItsOwn.Leave();
        folder.Delete(recursive: true);
    }

    private string Recipe() => Recipe("sft", Write("rows.jsonl", string.Concat(Enumerable.Range(0, 5).Select(Conversation))
        + """{"messages":[{"role":"user","content":"Nobody answers."}]}""" + "\n"), "packing: true\nassistant_only_loss: true");

    private static string Conversation(int i) =>
        $$"""{"messages":[{"role":"user","content":"Say {{i}}."},{"role":"assistant","content":"The cat said {{i}}."}]}""" + "\n";

    private static string Pair(string question) =>
        $$"""{"prompt":[{"role":"user","content":"{{question}}"}],"chosen":[{"role":"assistant","content":"Yes."}],"rejected":"""
        + """[{"role":"assistant","content":"No."}]}""" + "\n";

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    private string Recipe(string task, string? data, string settings) => Write(task + ".yaml", $$$"""
        task: {{{task}}}
        model_name_or_path: {{{chat.Policy}}}
        {{{(data is null ? "" : $"dataset_name: {data}")}}}
        output_dir: {{{Path.Combine(folder.FullName, "out")}}}
        chat_template: "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}\
          {% if add_generation_prompt %}assistant: {% endif %}"
        max_length: 64

        """ + settings);

    [Fact]
    public async Task Inspect_OneExample_CountsTheLabelsOfTheSummary()
    {
        var invocation = await Invocation.RunAsync("data", "inspect",
            Recipe("cpt", Write("text.jsonl", "{\"text\":\"The cat said so.\"}\n"), "packing: true"));
        var summary = System.Text.RegularExpressions.Regex.Match(invocation.Output, @"examples: 1, tokens (\d+), labels (\d+)").Groups;
        Assert.Contains($"line 1: {summary[1]} tokens, {summary[2]} labels\n", invocation.Output, StringComparison.Ordinal);
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
        Assert.Contains("! once: no token is a label", invocation.Output, StringComparison.Ordinal);
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

    [Fact]
    public async Task Inspect_Pairs_ShowsTheMessageOfEveryTokenAndWhatIsCut()
    {
        var data = Write("pairs.jsonl",
            Pair("Say it.") + Pair(new string('b', 90)));
        var invocation = await Invocation.RunAsync("data", "inspect", Recipe("dpo", data, ""), "--count", "1");
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Matches(@"prompt \(\d+ tokens, 0 labels\)", invocation.Output);
        Assert.Matches(@"       0 user         ", invocation.Output);
        Assert.Matches(@"  \*    1 assistant    ", invocation.Output);
        Assert.Contains("examples: 2,", invocation.Output, StringComparison.Ordinal);
        Assert.Contains("truncated: 1,", invocation.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("line 2: ", invocation.Output, StringComparison.Ordinal);
        var second = await Invocation.RunAsync("data", "inspect", Recipe("dpo", data, ""), "--example", "2");
        Assert.Matches(@"! \d+ tokens are cut off", second.Output);
    }

    [Fact]
    public async Task Inspect_Mixture_ShowsWhatTrainingWillSee()
    {
        var (a, b) = (Write("a.jsonl", string.Concat(Enumerable.Range(0, 8).Select(Conversation))),
            Write("b.jsonl", Conversation(1) + Conversation(100)));
        var recipe = Recipe("sft", null, $"""
            deduplicate: exact
            dataset_mixture:
              seed: 1
              datasets:
                - id: {a}
                  weight: 0.5
                - id: {b}
                  weight: 1.0
            """);
        var invocation = await Invocation.RunAsync("data", "inspect", recipe, "--count", "20");
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Contains("removed by cleaning: 1,", invocation.Output, StringComparison.Ordinal);
        Assert.Contains("examples: 5,", invocation.Output, StringComparison.Ordinal);
        Assert.Equal(4, invocation.Output.Split('\n').Count(line => line.StartsWith(a + ", line", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Inspect_TokensFromElsewhere_AreShownWithTheirLabels()
    {
        var data = Write("ids.jsonl", """{"input_ids":[1,210,211,2],"labels":[-100,-100,211,2]}""" + "\n");
        var invocation = await Invocation.RunAsync("data", "inspect", Recipe("sft", data, ""));
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Matches(@"       1     210         -  ", invocation.Output);
        Assert.Matches(@"       2     211    \*    -  ", invocation.Output);
    }

    [Fact]
    public async Task Inspect_NoLabelAtAll_ShowsWhyInsteadOfRefusing()
    {
        var data = Write("mute.jsonl", """{"messages":[{"role":"user","content":"Nobody answers."}]}""" + "\n");
        var invocation = await Invocation.RunAsync("data", "inspect", Recipe("sft", data, "assistant_only_loss: true"));
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Contains("unlabelled: 1", invocation.Output, StringComparison.Ordinal);
        var prepared = await Invocation.RunAsync("data", "prepare", Recipe("sft", data, "assistant_only_loss: true"));
        Assert.Equal(ExitCodes.UserError, prepared.ExitCode);
        Assert.Contains("not one token of 1 training examples is a label", prepared.ErrorLines[^1], StringComparison.Ordinal);
    }
}
