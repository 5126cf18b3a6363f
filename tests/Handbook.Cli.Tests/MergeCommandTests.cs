using Handbook.Models.Adapters;
using Handbook.TestModels;

namespace Handbook.Cli.Tests;

/// <summary>From an adapter to a model: trained, built upon, merged, exported.</summary>
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

    private async Task<string[]> Succeed(string command, string model, string output, string data)
    {
        var run = await Invocation.RunAsync(command, $"--model_name_or_path={model}", $"--dataset_name={data}", "--use_peft=true",
            "--lora_target_modules=all-linear", "--lora_r=4", "--max_steps=3", "--max_length=64", "--per_device_train_batch_size=2",
            "--learning_rate=0.01", "--report_to=none", "--logging_steps=1", "--bf16=false", $"--output_dir={chat.File(output)}");
        Assert.True(run.ExitCode == ExitCodes.Success, run.Error);
        return run.Output.Split('\n');
    }

    private string Conversations() => chat.Write("chats.jsonl", string.Concat(Enumerable.Repeat(
        """{"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "how are you"}]}""" + "\n", 8)));

    private string Pairs() => chat.Write("pairs.jsonl", string.Concat(Enumerable.Repeat(
        """{"prompt": "hello there", "chosen": " yes", "rejected": " no"}""" + "\n", 8)));
}
