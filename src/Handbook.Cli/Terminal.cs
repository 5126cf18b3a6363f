using Spectre.Console;

namespace Handbook.Cli;

/// <summary>
/// What a command may know of the world outside: two text streams, whether a person watches, the clock. Commands write
/// through it only, so that tests read what a user would see.
/// </summary>
public sealed class Terminal
{
    /// <summary>A terminal over the given streams.</summary>
    public Terminal(TextWriter output, TextWriter error, bool isInteractive, TimeProvider clock)
    {
        Output = output;
        Error = error;
        IsInteractive = isInteractive;
        Clock = clock;
        Console = new Lazy<IAnsiConsole>(() => CreateConsole(output, isInteractive));
    }

    private Lazy<IAnsiConsole> Console { get; }

    /// <summary>Results: what a script would read.</summary>
    public TextWriter Output { get; }

    /// <summary>Problems and remarks.</summary>
    public TextWriter Error { get; }

    /// <summary>True when a person watches: colours and progress bars are welcome. False for files and pipes: plain lines.</summary>
    public bool IsInteractive { get; }

    /// <summary>The clock; tests put their own in its place.</summary>
    public TimeProvider Clock { get; }

    /// <summary>Tables and colours over <see cref="Output"/>; plain text when no person watches.</summary>
    public IAnsiConsole Ansi => Console.Value;

    /// <summary>The process's own streams. <c>NO_COLOR</c> and <c>TERM=dumb</c> are respected.</summary>
    public static Terminal System() => new(
        global::System.Console.Out, global::System.Console.Error, !global::System.Console.IsOutputRedirected, TimeProvider.System);

    private static IAnsiConsole CreateConsole(TextWriter output, bool isInteractive)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isInteractive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isInteractive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isInteractive ? InteractionSupport.Detect : InteractionSupport.No,
        });
        // A pipe has no width: never wrap what a script will read.
        if (!isInteractive)
            console.Profile.Width = PlainWidth;
        return console;
    }

    private const int PlainWidth = 400;
}
