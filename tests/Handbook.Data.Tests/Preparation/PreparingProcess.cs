using System.Diagnostics;

namespace Handbook.Data.Tests.Preparation;

/// <summary>Runs Handbook.Data.TestProcess.</summary>
internal static class PreparingProcess
{
    /// <summary>Runs to the end and gives what it printed, by the first word of each line.</summary>
    public static Dictionary<string, string> Run(string data, string cache, string tokenizer)
    {
        using var process = Start(data, cache, tokenizer);
        var said = new Dictionary<string, string>();
        while (process.StandardOutput.ReadLine() is { } line)
        {
            var cut = line.IndexOf(' ', StringComparison.Ordinal);
            said[line[..cut].TrimEnd(':')] = line[(cut + 1)..];
        }
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
        return said;
    }

    /// <summary>Kills it (SIGKILL) once it has reported as many times as told; false when it ended before that.</summary>
    public static bool RunAndKill(string data, string cache, string tokenizer, int reports)
    {
        using var process = Start(data, cache, tokenizer);
        for (var seen = 0; seen <= reports; seen++)
        {
            var line = process.StandardOutput.ReadLine();
            if (line is null || line.StartsWith("hash", StringComparison.Ordinal))
                break;
            if (seen == reports)
            {
                process.Kill();
                process.WaitForExit();
                return true;
            }
        }
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return false;
    }

    private static Process Start(string data, string cache, string tokenizer)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "Handbook.Data.TestProcess.dll"), data, cache, tokenizer })
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
