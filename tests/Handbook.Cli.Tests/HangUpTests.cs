using System.Diagnostics;
using System.Globalization;
using Handbook.TestSupport;

namespace Handbook.Cli.Tests;

/// <summary>Terminals that go away and logs that cannot be written: the run of the real program saves what it has.</summary>
public sealed class HangUpTests
{
    [Fact]
    public void ATerminalThatGoes_EndsTheRunAfterSaving()
    {
        using var run = new TinyRun();
        // Whoever runs the tests may have been started under nohup, which would be handed on.
        using (var process = Shell(run, "exec env --default-signal=HUP dotnet \"$@\" --max_steps=500", redirects: true))
        {
            ReadSteps(process, 3);
            Signal("-HUP", process);
            // A shell that dies with its terminal says it once more.
            Signal("-HUP", process);
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(ExitCodes.HungUp, process.ExitCode);
        }
        Assert.Single(Directory.GetDirectories(Path.Combine(run.Folder, "out"), "checkpoint-*"));
    }

    [Fact]
    public void UnderNohup_TheRunGoesOn()
    {
        using var run = new TinyRun();
        using var process = Shell(run, "trap '' HUP; exec dotnet \"$@\"", redirects: true);
        ReadSteps(process, 2);
        Signal("-HUP", process);
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(ExitCodes.Success, process.ExitCode);
        Assert.True(File.Exists(Path.Combine(run.Folder, "out", "model.safetensors")));
    }

    [Theory]
    [InlineData("exec dotnet \"$@\" >&- 2>&-")]
    [InlineData("dotnet \"$@\" 2>&1 | head -n 1 >/dev/null")]
    public void WithoutAnyoneWhoReads_TheRunIsDone(string command)
    {
        using var run = new TinyRun();
        using var process = Shell(run, command, redirects: false);
        process.WaitForExit();
        Assert.Equal(ExitCodes.Success, process.ExitCode);
        Assert.True(File.Exists(Path.Combine(run.Folder, "out", "model.safetensors")));
    }

    [DeviceFact]
    public void WithLogsOnAFullDisk_TheRunIsDone()
    {
        using var run = new TinyRun();
        var full = SpecialFiles.MakeFull(Path.Combine(run.Folder, "full"));
        using var process = Shell(run, $"exec dotnet \"$@\" >{full} 2>&1", redirects: false);
        process.WaitForExit();
        Assert.Equal(ExitCodes.Success, process.ExitCode);
        Assert.True(File.Exists(Path.Combine(run.Folder, "out", "model.safetensors")));
    }

    private static Process Shell(TinyRun run, string command, bool redirects)
    {
        var start = new ProcessStartInfo("sh",
            ["-c", command, "sh", Path.Combine(AppContext.BaseDirectory, "handbook.dll"), "cpt", run.Recipe,
                $"--output_dir={Path.Combine(run.Folder, "out")}", "--save_strategy=no"])
        {
            RedirectStandardOutput = redirects,
            RedirectStandardError = redirects,
        };
        start.Environment["HANDBOOK_CACHE"] = Path.Combine(run.Folder, "cache");
        start.Environment["OMP_NUM_THREADS"] = "1";
        return Process.Start(start)!;
    }

    private static void ReadSteps(Process process, int count)
    {
        for (var seen = 0; seen < count && process.StandardOutput.ReadLine() is { } line;)
            seen += line.StartsWith("step ", StringComparison.Ordinal) ? 1 : 0;
    }

    private static void Signal(string name, Process process)
    {
        using var kill = Process.Start("kill", [name, process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
