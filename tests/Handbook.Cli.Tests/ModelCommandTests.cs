using System.Text.Json.Nodes;
using Handbook.TestModels;
using Handbook.TestSupport;

namespace Handbook.Cli.Tests;

public sealed class ModelCommandTests : IDisposable
{
    private readonly TinyChat chat = new();

    public void Dispose() => chat.Dispose();

    [Fact]
    public async Task Info_SaysWhatAModelIs_AndWhatItTakes()
    {
        var info = await Invocation.RunAsync("model", "info", chat.Policy);
        Assert.Equal(ExitCodes.Success, info.ExitCode);
        string[] said = ["architecture", "parameters", "to load", "to fine-tune, whole", "to fine-tune, LoRA", "to fine-tune, QLoRA"];
        foreach (var words in said)
            Assert.Contains(words, info.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_HasTheFiguresOfTheFiles()
    {
        var json = JsonNode.Parse((await Invocation.RunAsync("model", "info", chat.Policy, "--json")).Output)!;
        Assert.Equal("llama", json["architecture"]!.ToString());
        var bytes = new FileInfo(Path.Combine(chat.Policy, "model.safetensors")).Length;
        Assert.InRange(json["files_bytes"]!.GetValue<long>(), bytes * 0.8, bytes);
        Assert.Equal(json["files_bytes"]!.GetValue<long>(), json["parameters"]!.GetValue<long>() * 4);
        var ways = json["fine_tune_bytes"]!;
        Assert.True(ways["whole"]!.GetValue<long>() > ways["LoRA"]!.GetValue<long>());
        Assert.True(ways["LoRA"]!.GetValue<long>() > ways["QLoRA"]!.GetValue<long>());
    }

    [Fact]
    public async Task Id_IsFoundInTheCache()
    {
        using var cache = new TemporaryFolder();
        var commit = cache.File("models--org--tiny/snapshots/abc");
        Directory.CreateDirectory(commit);
        foreach (var file in Directory.EnumerateFiles(chat.Policy))
            File.Copy(file, Path.Combine(commit, Path.GetFileName(file)));
        Directory.CreateDirectory(cache.File("models--org--tiny/refs"));
        File.WriteAllText(cache.File("models--org--tiny/refs/main"), "abc");
        var here = new Dictionary<string, string> { ["HF_HUB_CACHE"] = cache.Path };

        Assert.Equal(ExitCodes.Success, (await Invocation.RunProcessAsync(here, ["model", "info", "org/tiny"])).ExitCode);
        var refused = await Invocation.RunProcessAsync(here, ["model", "info", "org/tini"]);
        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains("Did you mean org/tiny?", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }
}
