using System.CommandLine;
using System.CommandLine.Help;
using Handbook.Cli;
using Handbook.Training.Runs;

namespace Handbook.Conventions.Tests;

/// <summary>Commands and their options are a promise: a change shows up in <c>approved-commands.txt</c>, for review.</summary>
public class CommandSurfaceTests
{
    private const string Approved = "tests/Handbook.Conventions.Tests/approved-commands.txt";

    [Fact]
    public void CommandTable_EqualsTheApprovedList()
    {
        var terminal = new Terminal(TextWriter.Null, TextWriter.Null, isInteractive: false, TimeProvider.System);
        var actual = CommandTable.Rows.SelectMany(row => Lines(row.Create(terminal), "")).ToArray();
        // A new method brings a command of the common form; one that there was stays.
        var approved = SourceTree.Lines(Approved);
        var expected = actual.Where(line => approved.Contains(line)
            || !TrainingMethod.All.Any(method => line == $"{method.Name} <recipe.yaml --key=value>"));
        Assert.True(approved.SequenceEqual(expected), $"{Approved} should be:\n{string.Join('\n', actual)}\n");
    }

    private static IEnumerable<string> Lines(Command command, string parent)
    {
        var words = new[] { parent, command.Name }.Where(word => word.Length > 0)
            .Concat(command.Arguments.Select(argument => $"<{argument.Name}>"))
            .Concat(command.Options.Where(option => !option.Hidden && option is not HelpOption).Select(option => option.Name)
                .Order(StringComparer.Ordinal));
        return command.Subcommands.SelectMany(inner => Lines(inner, $"{parent} {command.Name}".Trim())).Prepend(string.Join(' ', words));
    }
}
