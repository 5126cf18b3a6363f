using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;
using Handbook.TestModels;
using Handbook.Torch;

namespace Handbook.Cli.Tests;

/// <summary>
/// Adapters that are broken, hostile or another model's, given wherever a model is asked for and as the one that is trained on: one line
/// that names the file, exit code 2, nothing written.
/// </summary>
[Collection(nameof(CacheOfItsOwn))]
public sealed class BadAdapterTests : IClassFixture<TinyChat>, IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bad-adapter");
    private readonly TinyChat chat;

    public BadAdapterTests(TinyChat chat)
    {
        this.chat = chat;
        CacheOfItsOwn.In(folder);
        using var model = CausalLanguageModel.Load(chat.Policy, DType.Float32);
        var config = new LoraConfig
        {
            Rank = 4, Alpha = 8, TargetModules = ModulePattern.OfNames(["q_proj", "down_proj"]), BaseModel = chat.Policy,
        };
        using var adapter = Adapter.Create(model, config, 1, "test");
        adapter.Lineage = AdapterChain.LineageOf(chat.Policy);
        adapter.Save(Adapted, DType.Float32);
        foreach (var file in Directory.GetFiles(chat.Policy, "*token*"))
            File.Copy(file, Path.Combine(Adapted, Path.GetFileName(file)));
    }

    private string Adapted => Path.Combine(folder.FullName, "adapter");

    private string Weights => Path.Combine(Adapted, AdapterFolder.WeightsFile);

    private string Config => Path.Combine(Adapted, AdapterFolder.ConfigFileName);

    public void Dispose()
    {
        CacheOfItsOwn.Leave();
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("r", "0", "r must be a whole number of at least 1, got 0")]
    [InlineData("r", "\"four\"", "r must be a whole number of at least 1, got \"four\"")]
    [InlineData("r", "2000000000", "lora_A.weight is [4, 32], the configuration needs [2000000000, 32]")]
    [InlineData("r", "5", "lora_A.weight is [4, 32], the configuration needs [5, 32]")]
    [InlineData("lora_alpha", "-8", "lora_alpha must be above 0, got -8")]
    [InlineData("lora_alpha", "1e400", "lora_alpha must be a number")]
    [InlineData("use_dora", "true", "lora_magnitude_vector [32] is missing")]
    [InlineData("target_modules", "[\"q_prj\"]", "q_prj is no module of the model. Did you mean q_proj?")]
    [InlineData("target_modules", "[\"c_attn\", \"c_fc\"]", "c_attn, c_fc are no module of the model")]
    [InlineData("target_modules", "\"(a+)+$\"", "matches no module of the model")]
    [InlineData("target_parameters", "[\"mlp.experts.down_proj\"]", "mlp.experts.down_proj is no parameter of the model")]
    [InlineData("layer_replication", "[[0,2]]", "layer_replication is set, which is not supported")]
    [InlineData("base_model_name_or_path", "\"/no/such/model\"", "/no/such/model is no folder on this machine")]
    [InlineData("base_model_name_or_path", "7", "base_model_name_or_path must be a text, got 7")]
    public async Task Config_ThatSaysWhatCannotBe(string key, string value, string words)
    {
        var config = ConfigFile.Read(Config);
        if (value == "1e400")
            File.WriteAllText(Config, config.ToJsonString().Replace("\"lora_alpha\":8", "\"lora_alpha\":1e400", StringComparison.Ordinal));
        else
        {
            config[key] = JsonNode.Parse(value);
            ConfigFile.Write(Config, config);
        }
        if (key == "base_model_name_or_path")
            File.Delete(Path.Combine(Adapted, Lineage.FileName));
        await Refused(words, most: 9, isOfBase: key == "base_model_name_or_path");
    }

    [Theory]
    [InlineData("cut in the header", "")]
    [InlineData("cut in the data", "truncated or damaged")]
    [InlineData("empty", "")]
    [InlineData("huge header", "")]
    [InlineData("no JSON", "")]
    public async Task Weights_ThatAreNoSafetensors(string kind, string words)
    {
        var bytes = File.ReadAllBytes(Weights);
        File.WriteAllBytes(Weights, kind switch
        {
            "cut in the header" => bytes[..40],
            "cut in the data" => bytes[..^100],
            "empty" => [],
            "huge header" => Numbered(long.MaxValue - 7, "{}"),
            _ => Numbered(9, "not JSON."),
        });
        await Refused(Weights, words);

        static byte[] Numbered(long length, string text)
        {
            var file = new byte[8 + text.Length];
            BinaryPrimitives.WriteInt64LittleEndian(file, length);
            Encoding.ASCII.GetBytes(text, file.AsSpan(8));
            return file;
        }
    }

    [Theory]
    [InlineData("NaN", "lora_B.weight holds values that are infinite or not a number")]
    [InlineData("whole numbers", "is I64; a weight is BF16, F16, F32 or F64")]
    [InlineData("turned", "lora_B.weight is [4, 32], the configuration needs [32, 4]")]
    [InlineData("another path", "\"../../etc/passwd\" [2] is not part of this model")]
    [InlineData("a name of many lines", "is not part of this model")]
    [InlineData("another model's", "self_attn.q_proj.lora_A.weight [4, 32] is missing")]
    [InlineData("one more layer", "model.layers.9.self_attn.q_proj.lora_A.weight\" [4, 32] is not part of this model")]
    public async Task Weights_ThatDoNotFit(string kind, string words)
    {
        using (var scope = new TensorScope())
        {
            using var file = new SafetensorsFile(Weights);
            var tensors = file.Header.Tensors.Keys.ToDictionary(name => name, name => file.Get(name));
            var name = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";
            switch (kind)
            {
                case "NaN": tensors[name] = Tensor.Full([32, 4], double.NaN, DType.Float32); break;
                case "whole numbers": tensors[name] = Tensor.Zeros([32, 4], DType.Int64); break;
                case "turned": tensors[name] = Tensor.Zeros([4, 32], DType.Float32); break;
                case "another path": tensors["../../etc/passwd"] = Tensor.Zeros([2], DType.Float32); break;
                case "a name of many lines": tensors["a\nb\u001b[31m\u202e"] = Tensor.Zeros([2], DType.Float32); break;
                case "one more layer":
                    tensors[name.Replace("layers.0", "layers.9", StringComparison.Ordinal).Replace("lora_B", "lora_A",
                        StringComparison.Ordinal)] = Tensor.Zeros([4, 32], DType.Float32);
                    break;
                default:
                    tensors = tensors.ToDictionary(
                        pair => pair.Key.Replace("model.layers", "transformer.h", StringComparison.Ordinal), pair => pair.Value);
                    break;
            }
            SafetensorsWriter.Write(Weights, [.. tensors.Select(pair => new NamedTensor(pair.Key, pair.Value))],
                new Dictionary<string, string>());
        }
        await Refused(words, most: 9);
    }

    [Theory]
    [InlineData(AdapterFolder.ConfigFileName)]
    [InlineData(AdapterFolder.WeightsFile)]
    [InlineData(Lineage.FileName)]
    public async Task File_ThatIsAPipe_IsNotOpened(string name)
    {
        var path = Path.Combine(Adapted, name);
        File.Delete(path);
        using (var make = Process.Start("mkfifo", path))
            make.WaitForExit();
        await Refused(path);
    }

    [Theory]
    [InlineData(AdapterFolder.ConfigFileName)]
    [InlineData(AdapterFolder.WeightsFile)]
    [InlineData(Lineage.FileName)]
    public async Task File_ThatIsALoopOfLinks_IsNamed(string name)
    {
        var path = Path.Combine(Adapted, name);
        File.Delete(path);
        File.CreateSymbolicLink(path, path + ".other");
        File.CreateSymbolicLink(path + ".other", path);
        await Refused(path);
    }

    [Theory]
    [InlineData("{\"format_version\": 1, \"parents\": []}", "parents must be a list of objects with path and sha256")]
    [InlineData("{\"format_version\": 9, \"parents\": []}", "format_version is 9; this program knows 1")]
    [InlineData("{\"format_version\": 1, \"parents\": [{\"path\": \"x\", \"sha256\": \"y\"}], \"quantization\": \"q2\"}",
        "quantization is \"q2\", which is not known")]
    [InlineData("{\"format_version\": 1, \"parents\": [{\"path\": \"x\", \"sha256\": \"y\"}]}", "holds other weights (SHA-256")]
    public async Task Lineage_ThatDoesNotFit(string content, string words)
    {
        File.WriteAllText(Path.Combine(Adapted, Lineage.FileName), content);
        await Refused(words, most: 2);
    }

    [Fact]
    public async Task Adapter_OfItself_IsRefused()
    {
        var config = ConfigFile.Read(Config);
        config["base_model_name_or_path"] = Adapted;
        ConfigFile.Write(Config, config);
        await Refused("leads from adapter to adapter", isOfBase: true);
    }

    [Fact]
    public async Task Embedding_InCodes_IsRefused()
    {
        var codes = Path.Combine(folder.FullName, "codes");
        using (var model = CausalLanguageModel.Load(chat.Policy, DType.Float32,
            quantization: QuantizationConfig.OfName("nf4")))
            model.Save(codes, DType.Float32);
        foreach (var file in Directory.GetFiles(chat.Policy, "*token*"))
            File.Copy(file, Path.Combine(codes, Path.GetFileName(file)));
        using (var scope = new TensorScope())
        {
            var path = Path.Combine(codes, "model.safetensors");
            using var file = new SafetensorsFile(path);
            var tensors = file.Header.Tensors.Keys.ToDictionary(name => name, name => file.Get(name));
            const string projection = "model.layers.0.self_attn.q_proj.weight";
            foreach (var name in tensors.Keys.Where(name => name.StartsWith(projection, StringComparison.Ordinal)).ToList())
                tensors[name.Replace(projection, "model.embed_tokens.weight", StringComparison.Ordinal)] = tensors[name];
            SafetensorsWriter.Write(path, [.. tensors.Select(pair => new NamedTensor(pair.Key, pair.Value))],
                new Dictionary<string, string>());
        }

        var run = await Invocation.RunAsync(Sft(codes, "--use_peft=true"));

        Assert.Equal(ExitCodes.UserError, run.ExitCode);
        Assert.Contains("model.embed_tokens.weight is in codes of few bits; an embedding must be BF16, F16 or F32",
            Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    /// <summary>By everybody who reads it; <paramref name="most"/> lines where several things are wrong.</summary>
    private async Task Refused(string words, string more = "", int most = 1, bool isOfBase = false)
    {
        var merged = Path.Combine(folder.FullName, "merged");
        foreach (var arguments in new[]
        {
            Sft(Adapted), Sft(chat.Policy, "--use_peft=true", $"--adapter_name_or_path={Adapted}"),
            ["merge", Adapted, "--output", merged],
        })
        {
            var run = await Invocation.RunAsync(arguments);
            // Which base the settings name is nothing to whoever names one.
            if (isOfBase && arguments.Contains("--use_peft=true") && run.ExitCode == ExitCodes.Success)
                continue;
            Assert.True(run.ExitCode == ExitCodes.UserError, $"{arguments[0]}: exit code {run.ExitCode}: {run.Error}{run.Output}");
            Assert.InRange(run.ErrorLines.Count, 1, most);
            Assert.Contains(words, run.Error, StringComparison.Ordinal);
            Assert.Contains(more, run.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("\u001b", run.Error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(merged));
        }
    }

    private string[] Sft(string model, params string[] more) =>
    [
        "sft", $"--model_name_or_path={model}", $"--tokenizer_name_or_path={chat.Policy}", $"--dataset_name={Rows()}",
        $"--output_dir={Path.Combine(folder.FullName, "out")}", "--max_steps=1", "--max_length=64", "--report_to=none", .. more,
    ];

    private string Rows()
    {
        var path = Path.Combine(folder.FullName, "rows.jsonl");
        File.WriteAllText(path, """{"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":"yes"}]}""" + "\n");
        return path;
    }
}
