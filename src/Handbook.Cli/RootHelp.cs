using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;

namespace Handbook.Cli;

/// <summary>The first page a newcomer sees: commands by purpose, an example, the exit codes.</summary>
internal static class RootHelp
{
    public static void Write(Terminal terminal)
    {
        var output = terminal.Output;
        output.WriteLine("handbook: fine-tune and align language models from YAML recipes, without Python.");
        output.WriteLine();
        output.WriteLine("  ./handbook COMMAND [recipe.yaml] [--key=value ...]");
        var width = CommandTable.Rows.Max(row => row.Name.Length) + 2;
        foreach (var group in CommandTable.Rows.GroupBy(row => row.Group))
        {
            output.WriteLine();
            output.WriteLine(group.Key);
            foreach (var row in group)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {row.Name.PadRight(width)}{row.Summary}"));
        }
        output.WriteLine();
        output.WriteLine("Everywhere");
        output.WriteLine("  COMMAND --help  what a command takes;  --verbose  the stack of an error;  --version");
        output.WriteLine();
        output.WriteLine("Exit codes");
        output.WriteLine("  0 done   1 fault of program or machine   2 wrong input, nothing written");
        output.WriteLine("  130 Ctrl-C, 143 SIGTERM: saved first, the same command continues the run");
    }
}

/// <summary>Puts <see cref="RootHelp"/> in the place of the generated page.</summary>
internal sealed class RootHelpAction(Terminal terminal) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        RootHelp.Write(terminal);
        return ExitCodes.Success;
    }
}
