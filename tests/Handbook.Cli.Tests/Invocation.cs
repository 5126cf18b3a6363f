namespace Handbook.Cli.Tests;

/// <summary>What one command line printed and returned.</summary>
internal sealed record Invocation(int ExitCode, string Output, string Error)
{
    /// <summary>The lines on the error stream.</summary>
    public IReadOnlyList<string> ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs the command line in this process, as from a pipe.</summary>
    public static async Task<Invocation> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(arguments, new Terminal(output, error, isInteractive: false, TimeProvider.System));
        ScreenWords.Check(output.ToString());
        ScreenWords.Check(error.ToString());
        return new Invocation(code, output.ToString(), error.ToString());
    }
}
