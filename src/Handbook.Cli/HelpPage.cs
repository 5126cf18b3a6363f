using System.Collections;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;

namespace Handbook.Cli;

/// <summary>The pages that <c>--help</c> shows: the contents page of all commands, and one page a command.</summary>
internal static class HelpPage
{
    private const int Width = 110;

    /// <summary>The first page a newcomer sees: commands by purpose, how to go on, the exit codes.</summary>
    public static void WriteContents(Terminal terminal)
    {
        var output = terminal.Output;
        output.WriteLine("handbook: fine-tune and align language models from YAML recipes, without Python.");
        output.WriteLine();
        output.WriteLine("  ./handbook COMMAND [recipe.yaml] [--key=value ...]");
        foreach (var group in CommandTable.Rows.GroupBy(row => row.Group))
            WriteTable(output, group.Key, [.. group.Select(row => (row.Name, row.Summary))]);
        WriteTable(output, "Everywhere",
            [("COMMAND --help", "What a command takes"), ("--verbose", "The stack of an error"), ("--version", "The version"),
                ("test", "Run the project's own tests (./handbook test --help)")]);
        WriteTable(output, "Exit codes",
        [
            ("0", "Done"),
            ("1", "A fault of the program or of the machine"),
            ("2", "Wrong input: one line a problem, nothing written"),
            ("129, 130, 143", "Terminal gone, Ctrl-C, SIGTERM: saved first; the same command goes on from there"),
        ]);
    }

    /// <summary>The page of one command.</summary>
    public static void Write(Command command, Terminal terminal)
    {
        var path = string.Join(' ', Path(command));
        var output = terminal.Output;
        foreach (var line in Wrap(command.Description ?? "", Width))
            output.WriteLine(line);
        output.WriteLine();
        var usage = $"  {path}{(command.Subcommands.Count > 0 ? " COMMAND" : "")}";
        output.WriteLine(usage + string.Concat(command.Arguments.Select(Usage)) + (OptionsOf(command).Any() ? " [options]" : ""));
        WriteTable(output, "Commands", [.. command.Subcommands.Select(inner => (inner.Name, inner.Description ?? ""))]);
        WriteTable(output, "Arguments", [.. command.Arguments.Select(argument => (argument.Name, argument.Description ?? ""))]);
        WriteTable(output, "Options", [.. OptionsOf(command).Select(option => (OptionUsage(option), OptionText(option)))]);
        if (command is not HandbookCommand { Examples: { Count: > 0 } examples })
            return;
        output.WriteLine();
        output.WriteLine(examples.Count == 1 ? "Example" : "Examples");
        foreach (var example in examples)
            output.WriteLine(example.StartsWith("handbook ", StringComparison.Ordinal) ? "  ./" + example : "  " + example);
    }

    private static IEnumerable<string> Path(Command command)
    {
        var parent = command.Parents.OfType<Command>().FirstOrDefault();
        return parent is null ? ["handbook"] : Path(parent).Append(command.Name);
    }

    private static IEnumerable<Option> OptionsOf(Command command) =>
        command.Options.Where(option => !option.Hidden && option is not HelpOption);

    private static string Usage(Argument argument)
    {
        var name = argument.Arity.MaximumNumberOfValues > 1 ? argument.Name + " ..." : argument.Name;
        return argument.Arity.MinimumNumberOfValues == 0 ? $" [{name}]" : " " + name;
    }

    private static string OptionUsage(Option option)
    {
        var names = string.Join(", ", option.Aliases.Prepend(option.Name));
        return option.ValueType == typeof(bool) ? names : $"{names} {option.HelpName ?? "VALUE"}";
    }

    private static string OptionText(Option option)
    {
        var text = (option.Description ?? "").TrimEnd('.');
        var value = option.HasDefaultValue && option.ValueType != typeof(bool) ? Shown(option.GetDefaultValue()) : "";
        return value.Length > 0 ? $"{text} (default {value})" : text;
    }

    private static string Shown(object? value) => value is IEnumerable several and not string
        ? string.Join(", ", several.Cast<object>().Select(Shown))
        : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static void WriteTable(TextWriter output, string heading, IReadOnlyList<(string Name, string Text)> rows)
    {
        if (rows.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine(heading);
        var width = rows.Max(row => row.Name.Length) + 2;
        foreach (var (name, text) in rows)
        {
            foreach (var (index, line) in Wrap(text, Width - width - 2).Index())
                output.WriteLine($"  {(index == 0 ? name : "").PadRight(width)}{line}".TrimEnd());
        }
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line += (line.Length == 0 ? "" : " ") + word;
        }
        yield return line;
    }
}

/// <summary>Puts <see cref="HelpPage"/> in the place of the generated pages.</summary>
internal sealed class HelpPageAction(Terminal terminal) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        if (parseResult.CommandResult.Command is RootCommand)
            HelpPage.WriteContents(terminal);
        else
            HelpPage.Write(parseResult.CommandResult.Command, terminal);
        return ExitCodes.Success;
    }
}
