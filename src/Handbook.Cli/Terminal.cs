using System.Text;
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
        Results = new TerminalWriter(output);
        Error = new TerminalWriter(error);
        Progress = new TerminalWriter(output);
        Styled = new TerminalWriter(output, isRaw: true);
        IsInteractive = isInteractive;
        Clock = clock;
        Console = new Lazy<IAnsiConsole>(() => CreateConsole(Styled, isInteractive));
    }

    private Lazy<IAnsiConsole> Console { get; }

    private TerminalWriter Results { get; }

    /// <summary>Results: what a script would read. A line is one line, and what could steer a terminal is escaped.</summary>
    public TextWriter Output => Results;

    /// <summary>How far a run is: like <see cref="Output"/>, but no result is lost when it cannot be written.</summary>
    public TextWriter Progress { get; }

    /// <summary>Problems and remarks, escaped like <see cref="Output"/>.</summary>
    public TextWriter Error { get; }

    /// <summary>Text with ANSI colours of our own; data in it must have been escaped (<see cref="PrintableText"/>).</summary>
    public TextWriter Styled { get; }

    /// <summary>True when a person watches: colours and progress bars are welcome. False for files and pipes: plain lines.</summary>
    public bool IsInteractive { get; }

    /// <summary>The clock; tests put their own in its place.</summary>
    public TimeProvider Clock { get; }

    /// <summary>Tables and colours over <see cref="Styled"/>; plain text when no person watches.</summary>
    public IAnsiConsole Ansi => Console.Value;

    /// <summary>Why results could not be written; null when they were.</summary>
    internal Exception? OutputFault => Results.Fault;

    /// <summary>The process's own streams. <c>NO_COLOR</c> and <c>TERM=dumb</c> are respected.</summary>
    public static Terminal System() => new(
        Stream(() => global::System.Console.Out), Stream(() => global::System.Console.Error),
        !global::System.Console.IsOutputRedirected, TimeProvider.System);

    /// <summary>Nothing where the process was started without the stream.</summary>
    private static TextWriter Stream(Func<TextWriter> open)
    {
        try
        {
            return open();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return TextWriter.Null;
        }
    }

    private static IAnsiConsole CreateConsole(TextWriter output, bool isInteractive)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new ConsoleOutput(output, isInteractive),
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

    /// <summary>A writer of ours in the place of the process's stream.</summary>
    private sealed class ConsoleOutput(TextWriter writer, bool isTerminal) : IAnsiConsoleOutput
    {
        private const int UsualWidth = 80;
        private const int UsualHeight = 24;

        public TextWriter Writer => writer;

        public bool IsTerminal => isTerminal;

        public int Width => Size(() => global::System.Console.BufferWidth, UsualWidth);

        public int Height => Size(() => global::System.Console.WindowHeight, UsualHeight);

        public void SetEncoding(Encoding encoding) { }

        private static int Size(Func<int> ask, int usual)
        {
            try
            {
                return ask() is > 0 and var size ? size : usual;
            }
            catch (IOException)
            {
                return usual;
            }
        }
    }
}
