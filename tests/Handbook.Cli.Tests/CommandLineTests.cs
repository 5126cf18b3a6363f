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
