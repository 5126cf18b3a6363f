using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Handbook.Cli;

/// <summary>Parses the arguments, runs one command, and turns its outcome into an exit code.</summary>
public static class CommandLine
{
    private const string VerboseName = "--verbose";

    /// <summary>Runs <paramref name="arguments"/>; never throws.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Terminal terminal)
    {
        using var signals = new Signals(terminal.Error);
        try
        {
            var parsed = CreateRoot(arguments, terminal).Parse(arguments, new ParserConfiguration
            {
                // A value may begin with @ (a path) and a recipe key may follow one dash: both are taken as typed.
                EnablePosixBundling = false,
                ResponseFileTokenReplacer = null,
            });
            if (parsed.Errors.Count > 0 && parsed.Action is not HelpPageAction)
                throw new UserErrorException($"{Problem(parsed)} 'handbook {NameOf(parsed)}--help' shows what is expected.");
            if (Empty(parsed) is { } empty)
                throw new UserErrorException($"{empty}: is empty; a value is expected. 'handbook {NameOf(parsed)}--help' shows which.");
            signals.EndAtOnce = parsed.CommandResult.Command is HandbookCommand { HasNothingToSave: true };
            var code = await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = terminal.Output,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            }, signals.Token).ConfigureAwait(false);
            terminal.Output.Flush();
            return code == ExitCodes.Success && terminal.OutputFault is { } lost ? throw lost : code;
        }
#pragma warning disable CA1031 // The outermost frame: whatever went wrong becomes one line and an exit code.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            return FaultReport.Write(fault, signals.ExitCode, arguments.Contains(VerboseName), terminal.Error);
        }
    }

    /// <summary>
    /// The root command. Only the row that is asked for is built: the other rows cost nothing at start-up.
    /// </summary>
    private static RootCommand CreateRoot(IReadOnlyList<string> arguments, Terminal terminal)
    {
        var root = new RootCommand { Verbose() };
        root.Directives.Clear();
        root.Options.OfType<HelpOption>().Single().Action = new HelpPageAction(terminal);
        var asked = arguments.FirstOrDefault(argument => !argument.StartsWith('-'));
        if (asked is not null)
        {
            var row = CommandTable.Rows.FirstOrDefault(row => row.Name == asked)
                ?? throw new UserErrorException(
                    $"'{asked}' is not a command.{NearestName.Hint(asked, CommandTable.Rows.Select(row => row.Name))} 'handbook --help' "
                    + "lists them.");
            root.Subcommands.Add(row.Create(terminal));
        }
        else
        {
            root.SetAction(_ => { HelpPage.WriteContents(terminal); return ExitCodes.Success; });
        }
        return root;
    }

    private static Option<bool> Verbose() =>
        new(VerboseName) { Description = "Print the stack of an error", Recursive = true };

    private static string Problem(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (WrongValue(parsed) is { } wrong)
            return wrong;
        if (parsed.UnmatchedTokens.Count == 0)
            return command.Subcommands.Count > 0
                ? $"handbook {NameOf(parsed)}takes one of: {string.Join(", ", command.Subcommands.Select(inner => inner.Name))}."
                : parsed.Errors[0].Message;
        var word = parsed.UnmatchedTokens[0];
        var known = word.StartsWith('-') ? command.Options.Select(option => option.Name) : command.Subcommands.Select(inner => inner.Name);
        return $"'{word}' is unknown here.{NearestName.Hint(word, known)}";
    }

    /// <summary>What is wrong with the value of an option that is no text, in a person's words; null when nothing is.</summary>
    private static string? WrongValue(ParseResult parsed)
    {
        if (parsed.Errors.Select(error => error.SymbolResult).OfType<OptionResult>()
            .FirstOrDefault(result => Expected(result.Option) is not null) is not { } option)
            return null;
        return option.Tokens.Count == 0
            ? $"{option.Option.Name}: its value is missing; {Expected(option.Option)} is expected."
            : $"{option.Option.Name} "
                + $"{string.Join(' ', option.Tokens.Select(token => token.Value))}: {Expected(option.Option)} is expected.";
    }

    /// <summary>The option whose value has no letter: a variable of a script that was not set. No option takes that.</summary>
    private static string? Empty(ParseResult parsed) => parsed.CommandResult.Children.OfType<OptionResult>()
        .FirstOrDefault(result => result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))?.Option.Name;

    private static string? Expected(Option option)
    {
        var type = option.ValueType.IsArray
            ? option.ValueType.GetElementType()! : Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        return type == typeof(int) || type == typeof(long) ? "a whole number"
            : type == typeof(double) ? "a number" : type == typeof(bool) ? "true, false or nothing" : null;
    }

    /// <summary>All words of the command that was meant, each with a space behind.</summary>
    private static string NameOf(ParseResult parsed)
    {
        var name = "";
        for (var result = parsed.CommandResult; result.Command is not RootCommand; result = (CommandResult)result.Parent!)
            name = result.Command.Name + " " + name;
        return name;
    }
}
