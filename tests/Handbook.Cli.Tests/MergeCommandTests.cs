using Handbook.Autograd;
using Handbook.Models;
using Handbook.Models.Adapters;
using Handbook.Models.Safetensors;
using Handbook.TestModels;
using Handbook.Torch;

namespace Handbook.Cli.Tests;

/// <summary>From an adapter to a model: trained, built upon, merged, exported.</summary>
[Collection(nameof(CacheOfItsOwn))]
public sealed class MergeCommandTests : IDisposable
{
    private readonly TinyChat chat = new();

    public void Dispose() => chat.Dispose();

    [Fact]
    public async Task ADpoAdapterOnAnSftAdapter_MergesIntoOneModel()
    {
        await Succeed("sft", chat.Policy, "sft", Conversations());
        var lines = await Succeed("dpo", chat.File("sft"), "dpo", Pairs());
        // The reference is the same weights with the adapter off: at the first step the two agree.
        Assert.Contains(lines, line => line.StartsWith("step 1/", StringComparison.Ordinal)
            && line.Contains("loss 0.6931", StringComparison.Ordinal));

        var merged = await Invocation.RunAsync("merge", chat.File("dpo"), "--output", chat.File("merged"), "--dtype", "float32");

        Assert.Equal(ExitCodes.Success, merged.ExitCode);
        Assert.Contains("the largest difference of a logit is", merged.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(chat.File("merged/tokenizer.json")));
        Assert.False(AdapterFolder.Is(chat.File("merged")));
        var again = await Invocation.RunAsync("merge", chat.File("dpo"), "--output", chat.File("merged"));
        Assert.Contains("is not empty; name another, or add --overwrite.", again.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Success, (await Invocation.RunAsync(
            "merge", chat.File("dpo"), "--output", chat.File("merged"), "--overwrite")).ExitCode);
    }

    /// <summary>Training has seen the codes' numbers alone, so the delta goes onto those and not onto the base's own.</summary>
    [Theory]
    [InlineData("nf4", "--load_in_4bit=true")]
    [InlineData("fp4", "--load_in_4bit=true", "--bnb_4bit_quant_type=fp4", "--use_bnb_nested_quant=true")]
    [InlineData("int8", "--load_in_8bit=true")]
    public async Task AQloraAdapter_IsMergedIntoItsDequantisedBase(string codes, params string[] settings)
    {
        await Succeed("sft", chat.Policy, "sft", Conversations(), settings);

        var merged = await Invocation.RunAsync("merge", chat.File("sft"), "--output", chat.File("merged"), "--dtype", "float32");

        Assert.True(merged.ExitCode == ExitCodes.Success, merged.Error);
        Assert.Contains($"merged from {chat.Policy}, dequantised from {codes};", merged.Output, StringComparison.Ordinal);
        using var scope = new TensorScope();
        var quantization = Lineage.Read(chat.File("sft"))!.Quantization!;
        Assert.Equal(codes, quantization.Format.Name);
        using var inCodes = CausalLanguageModel.Load(chat.File("sft"), DType.Float32, quantization: quantization);
        using var result = CausalLanguageModel.Load(chat.File("merged"), DType.Float32);
        using var whole = CausalLanguageModel.Load(chat.File("sft"), DType.Float32);
        Assert.Null(result.Config.Quantization);
        Assert.InRange(Logits(result).MaxAbsDifference(Logits(inCodes)), 0, 1e-4);
        Assert.True(Logits(result).MaxAbsDifference(Logits(whole)) > 1e-3, "the base's own numbers were merged");
        // Each weight: the codes' numbers, and the product of the pair.
        using var plain = CausalLanguageModel.Load(chat.Policy, DType.Float32, quantization: quantization);
        using var pairs = new SafetensorsFile(chat.File("sft/adapter_model.safetensors"));
        foreach (var slot in plain.Slots.Where(slot => slot.Weight.Quantized.Any()))
        {
            using var lease = slot.Weight.Lease();
            var stem = "base_model.model." + slot.Name[..^".weight".Length];
            var delta = pairs.Get(stem + ".lora_B.weight").MatMul(pairs.Get(stem + ".lora_A.weight")).Multiply(32.0 / 4);
            var actual = ((Parameter)result.Slots.Single(other => other.Name == slot.Name).Weight).Value;
            Assert.InRange(actual.MaxAbsDifference(lease.Value.Add(delta)), 0, 1e-5);
        }
    }

    private static Tensor Logits(CausalLanguageModel model)
    {
        using var tape = new Tape(isRecording: false);
        return model.Head.Logits(model.Forward(tape, [5, 9, 40, 41, 7, 3], SequenceLayout.Documents([6])).Hidden.Value);
    }

    [Fact]
    public async Task Bound_ThatIsNotHeld_WritesNothing()
    {
        await Succeed("sft", chat.Policy, "sft", Conversations());

        var refused = await Invocation.RunAsync("merge", chat.File("sft"), "--output", chat.File("merged"), "--bound", "1e-12");

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains("Nothing was written.", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(chat.File("merged")));
    }

    [Fact]
    public async Task Output_ThatIsRead_IsRefused()
    {
        await Succeed("sft", chat.Policy, "sft", Conversations());

        foreach (var output in new[] { chat.File("sft"), chat.Policy, chat.File("") })
        {
            var refused = await Invocation.RunAsync("merge", chat.File("sft"), "--output", output, "--overwrite");
            Assert.Equal(ExitCodes.UserError, refused.ExitCode);
            Assert.Contains("which is read here", refused.ErrorLines[^1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Folder_ThatHoldsNoAdapter_IsRefused()
    {
        var refused = await Invocation.RunAsync("merge", chat.Policy, "--output", chat.File("merged"));

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Equal($"{chat.Policy}: holds no adapter_config.json; the folder of an adapter is expected.", refused.ErrorLines[^1]);
    }

    private async Task<string[]> Succeed(string command, string model, string output, string data, params string[] settings)
    {
        var run = await Invocation.RunAsync([command, $"--model_name_or_path={model}", $"--dataset_name={data}", "--use_peft=true",
            "--lora_target_modules=all-linear", "--lora_r=4", "--max_steps=3", "--max_length=64", "--per_device_train_batch_size=2",
            "--learning_rate=0.01", "--report_to=none", "--logging_steps=1", "--bf16=false",
            $"--output_dir={chat.File(output)}", .. settings]);
        Assert.True(run.ExitCode == ExitCodes.Success, run.Error);
        return run.Output.Split('\n');
    }

    private string Conversations() => chat.Write("chats.jsonl", string.Concat(Enumerable.Repeat(
        """{"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "how are you"}]}""" + "\n", 8)));

    private string Pairs() => chat.Write("pairs.jsonl", string.Concat(Enumerable.Repeat(
        """{"prompt": "hello there", "chosen": " yes", "rejected": " no"}""" + "\n", 8)));
}
