using System.CommandLine;

namespace Handbook.Cli.Tests;

public class CommandLineTests
{
    [Fact]
    public async Task Run_WithoutArguments_ListsEveryCommand()
    {
        var invocation = await Invocation.RunAsync();
        Assert.Equal(ExitCodes.Success, invocation.ExitCode);
        Assert.All(CommandTable.Rows, row => Assert.Contains($"  {row.Name} ", invocation.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_UnknownCommand_NamesTheNearest()
    {
        var invocation = await Invocation.RunAsync("docter");
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.Equal("'docter' is not a command. Did you mean doctor? 'handbook --help' lists them.", Assert.Single(invocation.ErrorLines));
    }

    [Fact]
    public async Task Run_UnknownOption_IsOneLine()
    {
        var invocation = await Invocation.RunAsync("doctor", "--colour");
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.Contains("'--colour'", Assert.Single(invocation.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--count 1e3: a whole number is expected. 'handbook data inspect --help'", "data", "inspect", "recipe.yaml", "--count",
        "1e3")]
    [InlineData("--example 0x1: a whole number is expected. 'handbook data inspect --help'", "data", "inspect", "recipe.yaml",
        "--example=0x1")]
    [InlineData("--seconds long: a number is expected. 'handbook bench tokenizer --help'", "bench", "tokenizer", "--tokenizer", "t",
        "--text", "t", "--seconds=long")]
    [InlineData("--batch 1 x: a whole number is expected. 'handbook bench generate --help'", "bench", "generate", "--batch", "1", "x")]
    [InlineData("--vocab-size: its value is missing; a whole number is expected. 'handbook tokenizer train --help'", "tokenizer", "train",
        "--text", "t", "--output", "o", "--vocab-size")]
    public async Task Run_ValueOfAnotherType_IsToldInAPersonsWords(string expected, params string[] arguments)
    {
        var invocation = await Invocation.RunAsync(arguments);
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.Equal(expected + " shows what is expected.", Assert.Single(invocation.ErrorLines));
    }

    [Theory]
    [InlineData("command line: a word is empty; the name of a recipe, or --key=value, is expected.", "sft", "")]
    [InlineData("command line: --config: a recipe's name is missing.", "sft", "--config=")]
    [InlineData("--text: is empty; a value is expected. 'handbook tokenizer train --help' shows which.", "tokenizer", "train", "--text", "",
        "--output", "out")]
    [InlineData("--output: is empty; a value is expected. 'handbook quickstart --help' shows which.", "quickstart", "--output", "")]
    [InlineData("--tokenizer: is empty; a value is expected. 'handbook bench tokenizer --help' shows which.", "bench", "tokenizer",
        "--tokenizer", "", "--text", "text")]
    [InlineData("--output: is empty; a value is expected. 'handbook tokenizer train --help' shows which.", "tokenizer", "train", "--text",
        "text", "--output", "")]
    public async Task Run_EmptyName_SaysThatANameIsMissing(string expected, params string[] arguments)
    {
        var invocation = await Invocation.RunAsync(arguments);
        Assert.Equal(ExitCodes.UserError, invocation.ExitCode);
        Assert.Equal(expected, Assert.Single(invocation.ErrorLines));
    }

    public static TheoryData<string[]> Paths()
    {
        var terminal = new Terminal(TextWriter.Null, TextWriter.Null, isInteractive: false, TimeProvider.System);
        return [.. CommandTable.Rows.SelectMany(row => Below(row.Create(terminal), []))];

        static IEnumerable<string[]> Below(Command command, string[] parents)
        {
            string[] path = [.. parents, command.Name];
            return command.Subcommands.SelectMany(inner => Below(inner, path)).Prepend(path);
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Help_OfEveryCommandBelow_ShowsValuesAndNoNameOfAType(string[] path)
    {
        var invocation = await Invocation.RunAsync([.. path, "--help"]);
        Assert.Equal((ExitCodes.Success, ""), (invocation.ExitCode, invocation.Error));
        Assert.DoesNotContain("System.", invocation.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("(default )", invocation.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_DefaultOfSeveralValues_ListsThem() =>
        Assert.Contains("(default 1, 32)", (await Invocation.RunAsync("bench", "generate", "--help")).Output, StringComparison.Ordinal);

    public static TheoryData<string> Names() => [.. CommandTable.Rows.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Help_OfEveryCommand_StartsWithWhatItDoes(string name)
    {
        var invocation = await Invocation.RunAsync(name, "--help");
        Assert.Equal(ExitCodes.Success, invocation.ExitCode);
        Assert.Contains($"  handbook {name}", invocation.Output, StringComparison.Ordinal);
        Assert.Empty(invocation.Error);
    }
}
