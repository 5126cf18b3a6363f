using System.Diagnostics;

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

    /// <summary>Runs the real program, with variables of its own.</summary>
    public static async Task<Invocation> RunProcessAsync(IReadOnlyDictionary<string, string> variables, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "handbook.dll"), .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return new Invocation(process.ExitCode, await output, await error);
    }
}
