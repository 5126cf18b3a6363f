using System.Text;
using Handbook.TestModels;

namespace Handbook.Cli.Tests;

/// <summary>What a user can do wrong before a run starts: one line that says what and where, exit code 2, nothing written.</summary>
[Collection(nameof(CacheOfItsOwn))]
public sealed class BadInputTests(TinyChat chat) : IClassFixture<TinyChat>, IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bad-input");

    public void Dispose() => folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(folder.FullName, name);

    private string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    private string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(At(name), bytes);
        return At(name);
    }

    /// <summary>A copy of a small checkpoint.</summary>
    private string Model()
    {
        var copy = Directory.CreateDirectory(At("model")).FullName;
        foreach (var file in Directory.GetFiles(chat.Policy))
            File.WriteAllBytes(Path.Combine(copy, Path.GetFileName(file)), File.ReadAllBytes(file));
        return copy;
    }

    private string Rows(string text = "{\"text\":\"Once upon a time\"}\n") => Write("rows.jsonl", text);

    /// <summary>Runs <c>cpt</c> on a good recipe with something changed, expects a refusal, and gives what was said.</summary>
    private async Task<IReadOnlyList<string>> RefuseAsync(
        string? model = null, string? data = null, string? output = null, params string[] more)
    {
        output ??= At("out");
        var invocation = await Invocation.RunAsync(
            ["cpt", $"--model_name_or_path={model ?? Model()}", $"--dataset_name={data ?? Rows()}",
                $"--output_dir={output}", "--max_steps=1", .. more]);
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.False(Directory.Exists(output), "a refused run left its output folder behind");
        return invocation.ErrorLines;
    }

    [Fact]
    public async Task UnknownKey_NamesTheNearest() => Assert.Equal(
        ["command line: learning_rte: is not a key of a recipe. Did you mean learning_rate?"], await RefuseAsync(more: "--learning_rte=1"));

    [Fact]
    public async Task WrongType_SaysWhatIsExpected() => Assert.Equal(
        ["command line: max_grad_norm: expected a number of 0 or more, found text 'much'."],
        await RefuseAsync(more: "--max_grad_norm=much"));

    [Fact]
    public async Task MissingRecipe_IsNamed()
    {
        var invocation = await Invocation.RunAsync("cpt", At("none.yaml"));
        Assert.Equal((ExitCodes.UserError, $"{At("none.yaml")}: no such file.\n"), (invocation.ExitCode, invocation.Error));
    }

    [Fact]
    public async Task NoArguments_SayWhatIsNeeded()
    {
        var invocation = await Invocation.RunAsync("sft");
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.Contains("needs a recipe", Assert.Single(invocation.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingModel_IsNamed() =>
        Assert.Contains(At("nowhere"), Assert.Single(await RefuseAsync(model: At("nowhere"))), StringComparison.Ordinal);

    [Fact]
    public async Task MissingData_IsNamed() =>
        Assert.Contains(At("none.jsonl"), Assert.Single(await RefuseAsync(data: At("none.jsonl"))), StringComparison.Ordinal);

    [Fact]
    public async Task TruncatedSafetensors_IsNamed()
    {
        var model = Model();
        var weights = Path.Combine(model, "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^1000]);
        var line = Assert.Single(await RefuseAsync(model));
        Assert.StartsWith(weights + ":", line, StringComparison.Ordinal);
        Assert.Contains("truncated", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongTensorShape_NamesTensorAndBothShapes()
    {
        var model = Model();
        var config = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(model, "config.json")))!.AsObject();
        config["intermediate_size"] = (int)config["intermediate_size"]! + 8;
        File.WriteAllText(Path.Combine(model, "config.json"), config.ToJsonString());
        var lines = await RefuseAsync(model);
        Assert.Matches(
            @"model\.safetensors: tensor model\.layers\.0\.mlp\.gate_proj\.weight is \[\d+, \d+\], the configuration needs \[\d+, \d+\]",
            lines[0]);
    }

    [Fact]
    public async Task UnknownArchitecture_IsNamed()
    {
        var model = Model();
        File.WriteAllText(Path.Combine(model, "config.json"), "{\"model_type\":\"unheard_of\"}");
        Assert.Contains("unheard_of", Assert.Single(await RefuseAsync(model)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task InvalidUtf8_NamesFileAndLine()
    {
        var data = Write("broken.jsonl", [.. "{\"text\":\"fine\"}\n{\"text\":\""u8, 0xFF, .. "\"}\n"u8]);
        Assert.Contains("broken.jsonl, line 2: invalid UTF-8", Assert.Single(await RefuseAsync(data: data)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task BrokenJson_NamesFileAndLine() => Assert.Contains(
        "rows.jsonl, line 2: not valid JSON", Assert.Single(await RefuseAsync(data: Rows("{\"text\":\"fine\"}\n{\"text\":\n"))),
        StringComparison.Ordinal);

    [Fact]
    public async Task EmptyDataset_IsNamed() =>
        Assert.Contains("rows.jsonl: split train has no rows", Assert.Single(await RefuseAsync(data: Rows(""))), StringComparison.Ordinal);

    [Fact]
    public async Task OutputFolderThatCannotBe_IsNamed()
    {
        Write("file", "");
        Assert.StartsWith($"output_dir: {At("file/out")}: a file stands at {At("file")}; a folder, or a new name, is expected.",
            Assert.Single(await RefuseAsync(output: At("file/out"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ResumeWithoutCheckpoint_IsRefused() => Assert.Contains(
        "holds no whole checkpoint", Assert.Single(await RefuseAsync(more: "--resume_from_checkpoint=true")), StringComparison.Ordinal);

    [Fact]
    public async Task WhatIsNotSupportedYet_IsRefusedByName() => Assert.Equal(
        [
            "command line: push_to_hub: uploading is not supported yet; set it to false.",
        ],
        await RefuseAsync(more: ["--push_to_hub=true"]));
}
