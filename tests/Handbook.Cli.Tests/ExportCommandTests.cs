using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.TestModels;
using Handbook.TestSupport;
using Handbook.Torch;

namespace Handbook.Cli.Tests;

public sealed class ExportCommandTests(TinyChat chat) : IClassFixture<TinyChat>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string File(string name) => folder.File(name);

    [Fact]
    public async Task Gguf_WritesFileAndModelfile_AndOverItsOwn()
    {
        for (var time = 0; time < 2; time++)
        {
            var invocation = await Invocation.RunAsync("export", "gguf", chat.Policy, "--output", File("m.gguf"), "--type", "Q4_0");

            Assert.Equal(ExitCodes.Success, invocation.ExitCode);
            Assert.Matches($@"^{File("m.gguf")}: llama, 0\.\d MB, tensors: 14 q4_0, 5 f32, 1 q8_0\n", invocation.Output);
            Assert.Equal("GGUF"u8, System.IO.File.ReadAllBytes(File("m.gguf")).AsSpan(0, 4));
            var modelfile = System.IO.File.ReadAllText(File("Modelfile"));
            Assert.Contains("FROM ./m.gguf\nPARAMETER stop \"<|im_end|>\"\n", modelfile, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Gguf_MayLieInTheModelsFolder()
    {
        var path = Path.Combine(chat.Policy, "here.gguf");
        for (var time = 0; time < 2; time++)
            Assert.Equal(ExitCodes.Success, (await Invocation.RunAsync("export", "gguf", chat.Policy, "--output", path)).ExitCode);
    }

    [Fact]
    public async Task Gguf_OfAnAdapter_NamesTheBasesFile()
    {
        using (var model = CausalLanguageModel.Load(chat.Policy))
        using (var adapter = Adapter.Create(model, new LoraConfig
        {
            TargetModules = ModulePattern.OfNames(["q_proj"]), BaseModel = chat.Policy,
        }, 1, "test"))
            adapter.Save(File("tuned"), DType.Float32);

        var invocation = await Invocation.RunAsync("export", "gguf", File("tuned"), "--output", File("tuned.gguf"));

        Assert.Equal(ExitCodes.Success, invocation.ExitCode);
        Assert.StartsWith($"{File("tuned.gguf")}: llama, 0.0 MB, tensors: 4 f32\n", invocation.Output, StringComparison.Ordinal);
        Assert.Equal($"note: llama.cpp needs the base's file beside it: first handbook export gguf {chat.Policy} --output "
            + $"{File("policy.gguf")}, then this once more\n", invocation.Error);
        Assert.StartsWith("# Made by handbook export gguf\nFROM ./policy.gguf\nADAPTER ./tuned.gguf\nPARAMETER stop \"<|im_end|>\"\n",
            System.IO.File.ReadAllText(File("Modelfile")), StringComparison.Ordinal);
        await RefusedAsync("--type q4_0: an adapter's matrices are narrow and few, and are not packed; f32, f16, bf16 are its types.",
            File("tuned"), "--output", File("tuned.gguf"), "--type", "q4_0");
    }

    [Fact]
    public async Task Gguf_RefusesWhatItDidNotMakeAndWhatItReads()
    {
        folder.Write("Modelfile", "FROM mine");
        await RefusedAsync(
            $"--output {File("Modelfile")}: a file that this command did not write is there already; name another, or add --overwrite.",
            chat.Policy, "--output", File("m.gguf"));
        Assert.Equal("FROM mine", System.IO.File.ReadAllText(File("Modelfile")));
        Assert.False(System.IO.File.Exists(File("m.gguf")));
        var config = Path.Combine(chat.Policy, "config.json");
        await RefusedAsync(
            $"--output {config}: is a file that is read here; name another.", chat.Policy, "--output", config, "--overwrite");
        await RefusedAsync("--type q5: is not a type; f32, f16, bf16, q8_0, q4_0, q4_k, q6_k are.", chat.Policy, "--output",
            File("n.gguf"), "--type", "q5");
        await RefusedAsync(
            $"{Path.Combine(chat.RewardModel, "config.json")}: LlamaForSequenceClassification has a classification head; llama.cpp "
            + "generates text, which takes a LlamaForCausalLM.", chat.RewardModel, "--output", File("n.gguf"), "--overwrite");
    }

    private static async Task RefusedAsync(string expected, params string[] words)
    {
        var invocation = await Invocation.RunAsync(["export", "gguf", .. words]);
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.StartsWith(expected, invocation.Error, StringComparison.Ordinal);
    }
}
