namespace Handbook.Cli.Tests;

public sealed class RecipeCommandTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("recipe-command");

    public void Dispose() => folder.Delete(recursive: true);

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public async Task Check_ProblemsOfTwoFiles_AreAllReported()
    {
        var first = Write("a.yaml", "learning_rte: 1\nmodel_name_or_path: m\ndataset_name: d\noutput_dir: o\n");
        var second = Write("b.yaml", "seed: x\nmodel_name_or_path: m\ndataset_name: d\noutput_dir: o\n");
        foreach (var words in (string[][])[[first, second, "--task=sft"], ["--task=sft", first, second], [first, "--task", "sft", second]])
        {
            var invocation = await Invocation.RunAsync(["recipe", "check", .. words]);
            Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
            Assert.Equal(
                [
                    $"{first}:1:1: learning_rte: is not a key of a recipe. Did you mean learning_rate?",
                    $"{second}:1:7: seed: expected a whole number of 0 or more, found text 'x'.",
                ],
                invocation.ErrorLines);
        }
    }

    [Theory]
    [InlineData("recipe", "check")]
    [InlineData("recipe", "show")]
    [InlineData("sweep")]
    [InlineData("data", "prepare")]
    [InlineData("data", "stats")]
    [InlineData("data", "inspect")]
    [InlineData("data", "export", "--to", "rows.parquet")]
    public async Task Command_WithoutARecipe_SaysThatItNeedsOne(params string[] words)
    {
        var command = string.Join(' ', words.TakeWhile(word => !word.StartsWith('-')));
        var invocation = await Invocation.RunAsync(words);
        Assert.Equal((ExitCodes.UserError, $"handbook {command} needs a recipe: handbook {command} recipe.yaml [--key=value ...]\n"),
            (invocation.ExitCode, invocation.Error));
    }

    [Fact]
    public async Task Check_OneOverrideAhead_IsNoRecipe()
    {
        var file = Write("r.yaml", "model_name_or_path: m\ndataset_name: d\noutput_dir: o\n");
        var invocation = await Invocation.RunAsync("recipe", "check", "--max_steps=3", file, "--task=sft");
        Assert.Equal((ExitCodes.Success, $"{file}: fine. sft, 5 keys, 8 rows a step on one device.\n"),
            (invocation.ExitCode, invocation.Output));
    }

    [Fact]
    public async Task Check_TaskFromThePath_NeedsNoOption()
    {
        Directory.CreateDirectory(Path.Combine(folder.FullName, "sft"));
        var file = Write("sft/config.yaml", "model_name_or_path: m\ndataset_name: d\noutput_dir: o\n");
        var invocation = await Invocation.RunAsync("recipe", "check", file);
        Assert.Equal((ExitCodes.Success, $"{file}: fine. sft, 3 keys, 8 rows a step on one device.\n"),
            (invocation.ExitCode, invocation.Output));
    }

    [Fact]
    public async Task Show_WhatItPrints_ReadsBackTheSame()
    {
        var file = Write("r.yaml",
            "model_name_or_path: m\ndataset_name: d\noutput_dir: o\nchat_template: \"{{ "
                + "x }}\\n'é\"\nlearning_rate: 1e-5\neval_strategy: no\n");
        var first = await Invocation.RunAsync("recipe", "show", file, "--task=sft", "--lr_scheduler_kwargs.num_cycles", "0.5",
            "--lr_scheduler_type=cosine");
        Assert.Empty(first.Error);
        var shown = Write("shown.yaml", first.Output);
        var second = await Invocation.RunAsync("recipe", "show", shown);
        Assert.Empty(second.Error);
        static string[] Pairs(
            string output) => [.. output.Split('\n').Select(line => line.Split("  #")[0]).Where(line => !line.StartsWith('#')).Order()];
        Assert.Equal(Pairs(first.Output), Pairs(second.Output));
    }

    [Fact]
    public async Task Explain_AKey_SaysWhatItIs()
    {
        var invocation = await Invocation.RunAsync("recipe", "explain", "warmup_ratio");
        Assert.Equal(
            "warmup_ratio\n  Warm-up as a share of all steps, rounded up.\n  value     a number from 0 to 1\n  default   0.0\n  from      "
                + "transformers' TrainingArguments\n",
            invocation.Output);
    }

    [Fact]
    public async Task Explain_UnknownKey_NamesTheNearest() => Assert.Equal(
        "warmup_ration is not a key of a recipe. Did you mean warmup_ratio?",
        Assert.Single((await Invocation.RunAsync("recipe", "explain", "warmup_ration")).ErrorLines));

    [Fact]
    public async Task Run_UnknownSubcommand_NamesTheNearest() => Assert.Equal(
        "'chekc' is unknown here. Did you mean check? 'handbook recipe --help' shows what is expected.",
        Assert.Single((await Invocation.RunAsync("recipe", "chekc")).ErrorLines));
}
