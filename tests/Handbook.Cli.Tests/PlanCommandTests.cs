using System.Text.Json.Nodes;
using Handbook.TestModels;

namespace Handbook.Cli.Tests;

/// <summary>What is said of a run before it runs.</summary>
public sealed class PlanCommandTests : IDisposable
{
    private readonly TinyChat chat = new();

    public void Dispose() => chat.Dispose();

    [Fact]
    public async Task Plan_SaysWhoHoldsMemory_HowLongStepsTake_AndWhatOtherSettingsNeed()
    {
        var plan = await Invocation.RunAsync(["plan", "--task=sft", .. Words("out")]);

        Assert.Equal(ExitCodes.Success, plan.ExitCode);
        string[] said =
        [
            "weights", "optimizer and master weights", "activations", "together", "it fits", "s a step", "3 steps",
            "gradient_checkpointing: true", "optim: adamw_bnb_8bit", "use_peft: true, load_in_4bit: true",
        ];
        foreach (var words in said)
            Assert.Contains(words, plan.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(chat.File("out")));
    }

    [Fact]
    public async Task Json_IsOneObject_WhatFitsFirst()
    {
        var plan = await Invocation.RunAsync(["plan", "--task=dpo", "--tokens", "64", "--json", "--memory", "24GB", .. Words("out")]);

        var json = JsonNode.Parse(plan.Output)!;
        Assert.True(json["fits"]!.GetValue<bool>());
        Assert.Equal(24_000_000_000, json["limit_bytes"]!.GetValue<long>());
        Assert.Equal(json["peak_bytes"]!.GetValue<long>(), json["memory"]!.AsObject().Sum(part => part.Value!.GetValue<long>()));
        Assert.True(json["memory"]!["reference"]!.GetValue<long>() > 0);
        var settings = json["settings"]!.AsArray();
        Assert.Contains(settings,
            one => one!["settings"]!.ToString() == "precompute_ref_log_probs: true" && one["memory"]!["reference"] is null);
        Assert.Equal(settings.Select(one => one!["step_seconds"]!.GetValue<double>()).Order(),
            settings.Select(one => one!["step_seconds"]!.GetValue<double>()));
    }

    [Fact]
    public async Task Devices_HoldShares()
    {
        async Task<JsonNode> Weights(params string[] more) =>
            JsonNode.Parse((await Invocation.RunAsync(
                ["plan", "--task=sft", "--tokens", "64", "--json", "--brief", .. more, .. Words("out")])).Output)!["memory"]!;
        var (one, four) = (await Weights(), await Weights("--devices", "4"));
        Assert.Equal(one["optimizer"]!.GetValue<long>() / 4, four["optimizer"]!.GetValue<long>());
    }

    [Fact]
    public async Task Folder_WithoutWeights_IsPlannedFor()
    {
        Directory.CreateDirectory(chat.File("empty"));
        foreach (var file in Directory.EnumerateFiles(chat.Policy).Where(file => !file.EndsWith(".safetensors", StringComparison.Ordinal)))
            File.Copy(file, chat.File("empty/" + Path.GetFileName(file)));
        var plan = await Invocation.RunAsync(
            ["plan", "--task=sft", "--brief", "--tokens", "64", $"--model_name_or_path={chat.File("empty")}", .. Words("out")[1..]]);
        Assert.Equal(ExitCodes.Success, plan.ExitCode);
        Assert.Contains("it fits", plan.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Targets_ThatNameOneLayer_ArePlannedFor()
    {
        var plan = await Invocation.RunAsync(["plan", "--task=sft", "--brief", "--use_peft=true",
            "--lora_target_modules=model.layers.77.self_attn.q_proj", .. Words("out")]);
        Assert.Equal(ExitCodes.Success, plan.ExitCode);
        Assert.Contains("it fits", plan.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LittleMemory_IsSaid_WithWhatFitsInIt()
    {
        var plan = await Invocation.RunAsync(["plan", "--task=sft", "--tokens", "64", "--memory", "1MB", .. Words("out")]);
        Assert.Equal(ExitCodes.Success, plan.ExitCode);
        Assert.Contains("1.0 MB there: too large", plan.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--memory", "24", "--memory 24: is no amount of memory")]
    [InlineData("--tokens", "3", "--tokens 3: a number from 4")]
    [InlineData("--devices", "0", "--devices 0: a number from 1")]
    public async Task MistakenNumbers_AreRefused_InOneLine(string option, string value, string words)
    {
        var refused = await Invocation.RunAsync(["plan", "--task=sft", option, value, .. Words("out")]);
        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains(words, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SaysItsPlanFirst_AndIsRefused_WhenItCannotFit()
    {
        var run = await Invocation.RunAsync(["sft", .. Words("out")]);
        Assert.Equal(ExitCodes.Success, run.ExitCode);
        Assert.Contains("memory: about ", run.Output, StringComparison.Ordinal);
        Assert.Contains("time: about ", run.Output, StringComparison.Ordinal);

        // The runtime tells a process with such a limit that it has no more memory than that.
        var little = new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "0x6000000" };
        var refused = await Invocation.RunProcessAsync(little, ["sft", .. Words("small")]);
        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains("check_memory: false tries it all the same", refused.ErrorLines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(chat.File("small/model.safetensors")));

        var tried = await Invocation.RunProcessAsync(little, ["sft", "--check_memory=false", .. Words("small")]);
        Assert.Equal(ExitCodes.Success, tried.ExitCode);
    }

    private string[] Words(string output) =>
    [
        $"--model_name_or_path={chat.Policy}", $"--dataset_name={Conversations()}", $"--output_dir={chat.File(output)}", "--max_steps=3",
        "--max_length=64", "--per_device_train_batch_size=2",
    ];

    private string Conversations() => chat.Write("chats.jsonl", string.Concat(Enumerable.Range(0, 8).Select(i =>
        $$"""{"messages": [{"role": "user", "content": "hello {{i}}"}, {"role": "assistant", "content": "hello there"}]}""" + "\n")));
}
