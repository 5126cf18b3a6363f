using System.Diagnostics;
using Handbook.TestModels;

namespace Handbook.Cli.Tests;

/// <summary>A folder with a chat model of random weights and prompts for it, and the real program at work in it.</summary>
internal sealed class TinyPolicy : IDisposable
{
    private readonly TinyChat chat = new();

    public TinyPolicy() =>
        Prompts = Write("questions.jsonl", string.Concat(Enumerable.Range(0, 14).Select(i => $$"""{"prompt": "hello {{i}}"}""" + "\n")));

    public string Model => chat.Policy;

    public string Prompts { get; }

    public string Path(string name) => chat.File(name);

    public string Write(string name, string text) => chat.Write(name, text);

    /// <summary>Starts the real program as a child process.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [System.IO.Path.Combine(AppContext.BaseDirectory, "handbook.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HANDBOOK_CACHE"] = Path("cache");
        start.Environment["OMP_NUM_THREADS"] = "1";
        return Process.Start(start)!;
    }

    /// <summary>Runs the real program to its end.</summary>
    public void Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}\n{text}\n{errors.Result}");
    }

    /// <summary>
    /// Starts the real program and kills it a while after so many lines of output, so that a slow machine kills in the same places.
    /// True when it was killed, false when it ended before.
    /// </summary>
    public bool KillAfter(int lines, TimeSpan later, params string[] arguments)
    {
        using var process = Start(arguments);
        _ = process.StandardError.ReadToEndAsync();
        for (var seen = 0; seen < lines; seen++)
        {
            if (process.StandardOutput.ReadLine() is null)
                break;
        }
        Thread.Sleep(later);
        process.Kill();
        process.WaitForExit();
        return process.ExitCode != 0;
    }

    public void Dispose() => chat.Dispose();
}
