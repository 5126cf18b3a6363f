using System.Diagnostics;
using System.Globalization;
using Handbook.Training.Checkpoints;

namespace Handbook.Training.Tests.Checkpoints;

/// <summary>A process that does nothing but save checkpoints, telling every stage on its output, until it is killed.</summary>
internal static class SavingProcess
{
    public const int FilesOfACheckpoint = 3;

    public static int Run(string folder)
    {
        var store = new CheckpointStore(folder);
        var step = store.FindNewest().Newest?.Step ?? 0;
        while (true)
        {
            step++;
            store.Save(step, target => WriteFiles(target, step));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"saved {step}"));
            store.Rotate(2, bestStep: null);
            Console.WriteLine("rotated");
        }
    }

    public static byte[] Content(int step, int file)
    {
        var bytes = new byte[20_000];
        new Random(step * 31 + file).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Starts it, reads that many lines and kills it; gives the last step it said was saved.</summary>
    public static int StartAndKill(string folder, int lines)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet"
            ? path : "dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            ArgumentList = { "exec", typeof(SavingProcess).Assembly.Location, "save-checkpoints", folder },
        };
        using var process = Process.Start(start)!;
        var saved = 0;
        for (var i = 0; i < lines; i++)
        {
            var line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the saving process ended by itself");
            if (line.StartsWith("saved ", StringComparison.Ordinal))
                saved = int.Parse(line.AsSpan(6), CultureInfo.InvariantCulture);
        }
        process.Kill();
        process.WaitForExit();
        return saved;
    }

    private static void WriteFiles(string target, int step)
    {
        for (var file = 0; file < FilesOfACheckpoint; file++)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"writing {step}/{file}"));
            File.WriteAllBytes(Path.Combine(target, $"file{file}.bin"), Content(step, file));
        }
        Console.WriteLine("sealing");
    }
}
