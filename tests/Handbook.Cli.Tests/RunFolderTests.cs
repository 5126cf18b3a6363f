using System.Diagnostics;
using System.Globalization;
using Handbook.TestModels;

namespace Handbook.Cli.Tests;

/// <summary>
/// An output folder belongs to one run: another one is refused with what differs, the same goes on, wherever the folder lies.
/// </summary>
[Collection(nameof(CacheOfItsOwn))]
public sealed class RunFolderTests : IDisposable
{
    private readonly TinyChat chat = new();
    private readonly string text;

    public RunFolderTests()
    {
        CacheOfItsOwn.In(new DirectoryInfo(Path.GetDirectoryName(chat.Policy)!));
        text = Write("text.jsonl", 8);
        Directory.CreateDirectory(chat.File("runs"));
    }

    public void Dispose()
    {
        CacheOfItsOwn.Leave();
        chat.Dispose();
    }

    [Theory]
    [InlineData("optim was adamw_torch, is sgd", "--optim=sgd")]
    [InlineData("learning_rate was 0.001, is 0.002", "--learning_rate=2e-3")]
    [InlineData("per_device_train_batch_size was 2, is 4; seed was 42, is 7", "--per_device_train_batch_size=4", "--seed=7")]
    [InlineData("lr_scheduler_type was linear, is cosine", "--lr_scheduler_type=cosine", "--max_steps=5")]
    [InlineData("profile was best, is v0.3", "--profile=v0.3")]
    public async Task Train_FolderOfAnotherRecipe_IsRefusedWithWhatDiffers(string difference, params string[] changed)
    {
        await RunAsync("a");
        var before = File.ReadAllBytes(Model("a"));

        var refused = await Invocation.RunAsync(Command("a", changed));

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains($"output_dir: {Output("a")} holds another run: {difference}", refused.Error, StringComparison.Ordinal);
        Assert.Contains("Name another output_dir, or begin anew with overwrite_output_dir: true (--overwrite_output_dir).",
            refused.Error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Model("a")));
        Assert.Equal(ExitCodes.Success, (await Invocation.RunAsync(Command("a", [.. changed, "--overwrite_output_dir=true"]))).ExitCode);
    }

    [Fact]
    public async Task Train_FolderOfAnotherMethodModelOrData_IsRefused()
    {
        await RunAsync("a");
        var pairs = chat.Write("pairs.jsonl", """{"prompt": "hello", "chosen": " yes", "rejected": " no"}""" + "\n");

        var method = await Invocation.RunAsync("dpo", $"--model_name_or_path={chat.Policy}", $"--dataset_name={pairs}",
            $"--output_dir={Output("a")}", "--max_steps=1");
        Assert.Contains("holds another run: it is of sft, this is dpo.", method.Error, StringComparison.Ordinal);
        var model = await Invocation.RunAsync(Command("a", $"--model_name_or_path={Output("a")}"));
        Assert.Contains("model_name_or_path: the model that it starts from is another", model.Error, StringComparison.Ordinal);
        var data = await Invocation.RunAsync(Command("a", $"--dataset_name={Write("other.jsonl", 9)}"));
        Assert.Contains("the training rows are others (dataset_name was", data.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_StepsIntervalsAndPathsChanged_GoesOn()
    {
        await RunAsync("a");
        Directory.Move(Output("a"), Output("b"));
        Directory.Move(chat.Policy, chat.File("elsewhere"));
        File.Move(text, chat.File("renamed.jsonl"));

        var longer = await Invocation.RunAsync(Command("b", $"--model_name_or_path={chat.File("elsewhere")}",
            $"--dataset_name={chat.File("renamed.jsonl")}",
            "--max_steps=4", "--save_steps=2", "--logging_steps=3", "--dataset_test_split=train",
            "--eval_strategy=steps", "--eval_steps=2"));

        Assert.True(longer.ExitCode == ExitCodes.Success, longer.Error);
        Assert.Contains("resuming training at checkpoint-2", longer.Output, StringComparison.Ordinal);
        Assert.Contains("the run has 4 steps now, 2 when checkpoint-2 was saved", longer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_CheckpointOfAnotherRun_IsRefusedInANewFolderToo()
    {
        await RunAsync("a");

        var refused = await Invocation.RunAsync(Command("new", "--optim=sgd",
            $"--resume_from_checkpoint={Path.Combine(Output("a"), "checkpoint-2")}"));

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains("checkpoint-2: is a checkpoint of another run: optim was adamw_torch, is sgd.",
            refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Output("new")));
    }

    [Fact]
    public async Task Train_FolderWithAModelOfNobody_IsRefusedAndSomebodysCheckpointsStay()
    {
        Directory.CreateDirectory(Path.Combine(Output("foreign"), "checkpoint-9"));
        File.WriteAllText(Path.Combine(Output("foreign"), "checkpoint-9", "notes.txt"), "mine");

        var refused = await Invocation.RunAsync(Command("foreign"));
        Assert.Contains("holds a model or checkpoints that don't say which run made them", refused.Error, StringComparison.Ordinal);
        var anew = await Invocation.RunAsync(Command("foreign", "--overwrite_output_dir=true"));
        Assert.True(anew.ExitCode == ExitCodes.Success, anew.Error);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Output("foreign"), "checkpoint-9", "notes.txt")));
    }

    [Fact]
    public async Task Train_FolderOfALivingProcess_IsRefusedUntilItEnds()
    {
        // A shell without job control starts what runs beside it deaf to Ctrl-C, which would be handed on.
        var start = new ProcessStartInfo("env",
            ["--default-signal=INT", "dotnet", Path.Combine(AppContext.BaseDirectory, "handbook.dll"),
                .. Command("a", "--max_steps=100000", "--save_steps=100000")])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            };
        start.Environment["OMP_NUM_THREADS"] = "1";
        using (var living = Process.Start(start)!)
        {
            while (living.StandardOutput.ReadLine() is { } line && !line.StartsWith("step 1/", StringComparison.Ordinal)) { }
            var second = await Invocation.RunAsync(Command("a", "--max_steps=100000", "--save_steps=100000"));
            Assert.Equal(ExitCodes.UserError, second.ExitCode);
            Assert.Contains("another run is at work in this folder: process " + living.Id.ToString(CultureInfo.InvariantCulture),
                second.Error, StringComparison.Ordinal);
            using var interrupt = Process.Start("kill", ["-INT", living.Id.ToString(CultureInfo.InvariantCulture)]);
            var rest = await living.StandardOutput.ReadToEndAsync();
            await living.WaitForExitAsync();
            Assert.Equal(ExitCodes.Interrupted, living.ExitCode);
            Assert.Contains("the same command goes on from checkpoint-", rest, StringComparison.Ordinal);
        }
        var done = int.Parse(Path.GetFileName(Assert.Single(Directory.GetDirectories(Output("a"), "checkpoint-*")))["checkpoint-".Length..],
            CultureInfo.InvariantCulture);
        Assert.Equal(ExitCodes.Success, (await Invocation.RunAsync(Command("a", $"--max_steps={done}"))).ExitCode);
    }

    [Fact]
    public async Task Sweep_RepeatedWithAnotherLearningRate_IsRefused()
    {
        string[] sweep = ["sweep", "--task=sft", .. Command("sweep").Skip(1), "--seed=1,2"];
        Assert.Equal(ExitCodes.Success, (await Invocation.RunAsync(sweep)).ExitCode);

        var same = await Invocation.RunAsync(sweep);
        Assert.Equal(2, same.Output.Split("finished before").Length - 1);
        var other = await Invocation.RunAsync([.. sweep.Where(word => !word.StartsWith("--learning_rate", StringComparison.Ordinal)),
            "--learning_rate=5e-3"]);
        Assert.Equal(ExitCodes.UserError, other.ExitCode);
        Assert.Contains("holds another run: learning_rate was 0.001, is 0.005", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_OutputThatIsNoFolder_IsRefusedInWords()
    {
        File.CreateSymbolicLink(Output("nowhere"), Output("missing"));
        File.WriteAllText(Output("file"), "");

        foreach (var (name, kind) in new[] { ("nowhere", "a link that leads nowhere"), ("file", "a file") })
        {
            var refused = await Invocation.RunAsync(Command(name));
            Assert.Equal(ExitCodes.UserError, refused.ExitCode);
            Assert.Equal($"output_dir: {Output(name)}: {kind} stands here; a folder, or a new name, is expected.", refused.ErrorLines[^1]);
        }
    }

    [Theory]
    [InlineData("dpo", """{"prompt": "a", "chosen": " yes", "rejected": " yes"}|{"prompt": "a", "chosen": " yes", "rejected": " no"}""",
        "warning: 1 of 2 training pairs teaches nothing: chosen and rejected are the same tokens, as in DATA, line 1")]
    [InlineData("reward", """{"prompt": "a", "chosen": " yes", "rejected": " yes"}|{"prompt": "b", "chosen": " no", "rejected": " no"}""",
        "warning: 2 of 2 training pairs teach nothing: chosen and rejected are the same tokens, as in DATA, line 1")]
    [InlineData("kto",
        """{"prompt": "a", "completion": " yes", "label": true}|{"prompt": "a", "completion": " no", "label": true}|{"prompt": "a","""
        + """ "completion": " yes", "label": false}""",
        "warning: 2 of 3 training answers teach nothing: the same answer to the same prompt "
        + "has the label true and the label false, as in DATA, line 1")]
    public async Task Train_PreferencesThatTeachNothing_AreCountedBeforeTheFirstStep(string task, string rows, string expected)
    {
        var data = chat.Write("idle.jsonl", rows.Replace('|', '\n') + "\n");

        var run = await Invocation.RunAsync(task, $"--model_name_or_path={chat.Policy}", $"--dataset_name={data}",
            $"--output_dir={Output("idle")}", "--max_steps=1", "--max_length=32", "--report_to=none");

        Assert.True(run.ExitCode == ExitCodes.Success, run.Error);
        var told = run.Output.IndexOf(expected.Replace("DATA", data, StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.InRange(told, 0, run.Output.IndexOf("step 1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sweep_ValuesWrittenDifferentlyThatAreOne_AreRefused()
    {
        var refused = await Invocation.RunAsync(["sweep", "--task=sft", .. Command("sweep", "--learning_rate=0.01,1e-2").Skip(1)]);

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Equal("command line: --learning_rate: 0.01 and 1e-2 make the same run; a sweep takes each value once.\n", refused.Error);
    }

    [Fact]
    public async Task Sweep_FolderOfALaterRunTaken_IsRefusedBeforeTheFirstRun()
    {
        var taken = Path.Combine(Output("sweep"), "seed-2");
        Directory.CreateDirectory(taken);
        File.WriteAllText(Path.Combine(taken, "config.json"), "{}");

        var refused = await Invocation.RunAsync(["sweep", "--task=sft", .. Command("sweep", "--seed=1,2").Skip(1)]);

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains("seed-2 holds config.json", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Output("sweep"), "seed-1")));
    }

    [Theory]
    [InlineData("--max_steps=1", "max_steps")]
    [InlineData("--num_train_epochs=0.25", "num_train_epochs")]
    public async Task Train_FewerStepsThanThereAre_IsRefused(string fewer, string key)
    {
        await RunAsync("a");
        var before = File.ReadAllBytes(Model("a"));
        string[] words =
        [
            .. Command("a", fewer).Where(word => key == "max_steps" || !word.StartsWith("--max_steps", StringComparison.Ordinal)),
        ];

        var refused = await Invocation.RunAsync(words);

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains($"{key}: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("checkpoint-2 has 2 steps already, 1 is asked for; expected at least 2. Name another output_dir, or begin anew",
            refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("follows the schedule", refused.Output, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Model("a")));
    }

    [Fact]
    public async Task Sweep_FewerStepsThanThereAre_IsRefusedBeforeTheFirstRun()
    {
        string[] sweep = ["sweep", "--task=sft", .. Command("sweep", "--seed=1,2").Skip(1)];
        Assert.Equal(ExitCodes.Success, (await Invocation.RunAsync(sweep)).ExitCode);

        var refused = await Invocation.RunAsync([.. sweep.Where(word => !word.StartsWith("--max_steps", StringComparison.Ordinal)),
            "--max_steps=1"]);

        Assert.Equal(ExitCodes.UserError, refused.ExitCode);
        Assert.Contains("checkpoint-2 has 2 steps already, 1 is asked for", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_RunThatIsDone_SaysSoAndWritesNoEmptyEventFile()
    {
        string[] words =
        [
            .. Command("a").Where(word => !word.StartsWith("--report_to", StringComparison.Ordinal)), "--report_to=tensorboard",
        ];
        await Invocation.RunAsync(words);
        string[] Events() => Directory.GetFiles(Path.Combine(Output("a"), "runs"), "events*", SearchOption.AllDirectories);
        var before = Events();

        var again = await Invocation.RunAsync(words);

        Assert.Equal(ExitCodes.Success, again.ExitCode);
        Assert.Contains("nothing left to do: all 2 steps are done", again.Output, StringComparison.Ordinal);
        Assert.Equal(before, Events());
    }

    private string Output(string name) => Path.Combine(chat.File("runs"), name);

    private string Model(string name) => Path.Combine(Output(name), "model.safetensors");

    /// <summary>The run, with keys in place of its own.</summary>
    private string[] Command(string output, params string[] changed)
    {
        string[] own =
        [
            $"--model_name_or_path={chat.Policy}", $"--dataset_name={text}", $"--output_dir={Output(output)}",
            "--learning_rate=1e-3", "--max_steps=2",
            "--per_device_train_batch_size=2", "--max_length=32", "--logging_steps=1", "--report_to=none",
        ];
        return ["sft", .. own.Where(word => !changed.Any(other => other.Split('=')[0] == word.Split('=')[0])), .. changed];
    }

    private async Task RunAsync(string output)
    {
        var run = await Invocation.RunAsync(Command(output));
        Assert.True(run.ExitCode == ExitCodes.Success, run.Error + run.Output);
    }

    private string Write(string name, int rows) =>
        chat.Write(name,
            string.Concat(Enumerable.Range(0, rows).Select(i => $$"""{"text": "hello there how are you today my friend {{i}}"}""" + "\n")));
}
