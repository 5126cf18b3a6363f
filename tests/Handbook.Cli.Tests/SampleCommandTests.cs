using System.Globalization;

namespace Handbook.Cli.Tests;

[Collection(nameof(CacheOfItsOwn))]
public sealed class SampleCommandTests : IDisposable
{
    private readonly TinyPolicy policy = new();

    [Fact]
    public async Task Sample_FromTheCommandLineAlone_WritesSetsAndTellsWhatItMade()
    {
        var output = policy.Path("out");
        var invocation = await Invocation.RunAsync(
            "sample", $"--model_name_or_path={policy.Model}", $"--dataset_name={policy.Prompts}",
            "--reward_funcs=words,max_words:3", "--reward_weights=-0.1,1",
            "--num_generations=3", "--max_new_tokens=12", "--keep_truncated", $"--output_dir={output}");
        Assert.True(invocation.ExitCode == ExitCodes.Success, invocation.Error);
        Assert.Equal(42, File.ReadLines(policy.Path("out/candidates.jsonl")).Count());
        Assert.Matches(@"\| answers +\| +42 \|", invocation.Output);
        Assert.Contains("preferences  " + policy.Path("out/preferences.jsonl"), invocation.Output, StringComparison.Ordinal);
        Assert.Contains("sampling: 14 of 14 prompts, ", invocation.Output, StringComparison.Ordinal);
        Assert.Contains("-0.1 x words + max_words:3", invocation.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sample_AnswersThatAreAllCutOff_AreRemarkedOn()
    {
        var invocation = await Invocation.RunAsync(
            "sample", $"--model_name_or_path={policy.Model}", $"--dataset_name={policy.Prompts}", "--reward_funcs=words",
            "--num_generations=2", "--max_new_tokens=1", $"--output_dir={policy.Path("out")}");
        Assert.Equal(ExitCodes.Success, invocation.ExitCode);
        Assert.Matches(@"\d+ of 28 answers were cut off at max_new_tokens \(1\), so that they can only be rejected", invocation.Output);
    }

    public static TheoryData<string[], string> Mistakes() => new()
    {
        { ["--dataset_name=DATA", "--reward_funcs=words", "--model_name_or_path=DATA"],
            "DATA: no such folder; a model folder is expected." },
        { ["--dataset_name=nowhere.jsonl", "--reward_funcs=words", "--model_name_or_path=MODEL"], "dataset nowhere.jsonl: not found" },
        { ["--dataset_name=DATA", "--reward_funcs=wrds", "--model_name_or_path=MODEL"],
            "command line: reward_funcs: 'wrds' is not a scorer. Did you mean words?" },
        { ["--dataset_name=DATA", "--reward_funcs=reward_model:MODEL", "--model_name_or_path=MODEL"],
            "MODEL: is not a reward model: it has no score.weight. 'handbook reward' trains one. From this folder: handbook reward "
                + "--model_name_or_path=MODEL --dataset_name=PAIRS" },
        { ["--dataset_name=DATA", "--reward_funcs=exact:answer", "--model_name_or_path=MODEL"],
            "reward_funcs: the rule needs column answer, which prompt 0 does not have." },
        { ["--dataset_name=DATA", "--reward_funcs=words", "--model_name_or_path=MODEL", "--rounds=2", "--train_recipe=none.yaml"],
            "none.yaml" },
        { ["--dataset_name=DATA", "--reward_funcs=words", "--model_name_or_path=MODEL", "--rounds=2", "--train_recipe=TRAIN",
            "--prompts_per_round=14"], "prompts_per_round: 2 rounds of 14 need more than the 14 prompts of DATA, split train." },
        { ["--dataset_name=DATA", "--reward_funcs=words", "--endpoint.url=http://localhost:9/v1", "--endpoint.model=m",
            "--endpoint.api_key_env=HANDBOOK_NO_SUCH_KEY"], "api_key_env: the environment variable HANDBOOK_NO_SUCH_KEY is not set" },
        { ["--dataset_name=DATA", "--reward_funcs=words", "--model_name_or_path=MODEL", "--temperature=-1"],
            "command line: temperature: expected a number of 0 or more" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task Sample_Mistake_IsOneLineAndExitCode2(string[] arguments, string expected)
    {
        var train = policy.Write("dpo.yaml", "task: dpo\n");
        string Fill(string text) =>
            text.Replace("TRAIN", train, StringComparison.Ordinal).Replace("DATA", policy.Prompts, StringComparison.Ordinal)
                .Replace("MODEL", policy.Model, StringComparison.Ordinal);
        var invocation = await Invocation.RunAsync(["sample", .. arguments.Select(Fill), $"--output_dir={policy.Path("out")}",
            "--max_new_tokens=4", "--num_generations=2"]);
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.StartsWith(Fill(expected), Assert.Single(invocation.ErrorLines), StringComparison.Ordinal);
        Assert.False(File.Exists(policy.Path("out/candidates.jsonl")));
    }

    [Fact]
    public async Task Sample_WhileAnotherRunIsAtWork_IsRefused()
    {
        string[] arguments =
        [
            "sample", $"--model_name_or_path={policy.Model}", $"--dataset_name={policy.Prompts}", "--reward_funcs=words",
            "--num_generations=1", "--max_new_tokens=4", $"--output_dir={policy.Path("out")}",
        ];
        Assert.Equal(ExitCodes.Success, (await Invocation.RunAsync(arguments)).ExitCode);
        var journal = Directory.GetFiles(policy.Path("out/.journal"), "completions-*.jsonl").Single();
        Assert.True(FileLock.TryTake(journal + ".lock", out var held, out _));
        using var ours = held;
        var invocation = await Invocation.RunAsync(arguments);
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        var line = Assert.Single(invocation.ErrorLines);
        Assert.StartsWith($"{policy.Path("out")}: process {Environment.ProcessId} (handbook", line, StringComparison.Ordinal);
        Assert.EndsWith(" is at work in this folder.", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sample_ServerThatIsNotThere_IsOneLineOfItsOwn()
    {
        using var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        var url = $"http://{probe.LocalEndpoint}/v1";
        probe.Stop();
        var invocation = await Invocation.RunAsync(
            "sample", $"--endpoint.url={url}", "--endpoint.model=m", "--endpoint.max_retries=0", $"--dataset_name={policy.Prompts}",
            "--reward_funcs=words", $"--output_dir={policy.Path("out")}");
        Assert.Equal(ExitCodes.Failure, invocation.ExitCode);
        Assert.Equal(
            $"{url}: Connection refused (tried once). sampling: 0 of {File.ReadLines(policy.Prompts).Count()} prompts are kept, and the "
                + "same command goes on from there.", Assert.Single(invocation.ErrorLines));
    }

    /// <summary>A key that was pasted where its variable's name belongs is refused and never shown.</summary>
    [Theory]
    [InlineData("sk-proj-0123456789abcdef")]
    [InlineData("hf_abcdefghijKLMNOPQRSTuvwxyzABCDEFgh")]
    [InlineData("hunter2")]
    public async Task Sample_PastedKey_IsNeverShown(string key)
    {
        var invocation = await Invocation.RunAsync(
            "sample", "--endpoint.url=https://localhost:9/v1", "--endpoint.model=m", $"--endpoint.api_key_env={key}",
            $"--dataset_name={policy.Prompts}", "--reward_funcs=words", $"--output_dir={policy.Path("out")}");
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.DoesNotContain(key, invocation.Output + invocation.Error, StringComparison.Ordinal);
        Assert.Contains("api_key_env: ", Assert.Single(invocation.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "is not a round's record")]
    [InlineData("[]", "is not a round's record")]
    [InlineData("{\"training\": 1, \"finished\": true}", "is not a round's record")]
    [InlineData("{\"training\": \"x\", \"finished\": true}", "was trained under another recipe or on other data")]
    public async Task Sample_BrokenRecordOfARound_IsNamed(string record, string expected)
    {
        var output = policy.Path("broken-round");
        Directory.CreateDirectory(Path.Combine(output, "round-1"));
        File.WriteAllText(Path.Combine(output, "round-1", "round.json"), record);
        var train = policy.Write("train.yaml", "task: dpo\nmax_steps: 1\n");

        var refused = await Invocation.RunAsync(
            "sample", $"--model_name_or_path={policy.Model}", $"--dataset_name={policy.Prompts}", "--reward_funcs=words",
            "--num_generations=2", "--max_new_tokens=4",
            "--keep_truncated=true", "--rounds=2", $"--train_recipe={train}", $"--output_dir={output}");

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains(expected, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.StartsWith(Path.Combine(output, "round-1"), refused.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_RecipesOfSampling_AreReadWhole()
    {
        var recipe = policy.Write("r.yaml", $"task: sample\nmodel_name_or_path: m\ndataset_name: d\noutput_dir: o\nreward_funcs: words\n");
        var good = await Invocation.RunAsync("recipe", "check", recipe);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{recipe}: fine. sample, 5 keys.\n"), good.Output);
        var shown = await Invocation.RunAsync("recipe", "show", recipe);
        Assert.Contains("num_generations: 8", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("learning_rate", shown.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.UserError, (await Invocation.RunAsync("recipe", "check", recipe, "--learning_rate=1")).ExitCode);
    }

    public void Dispose() => policy.Dispose();
}
