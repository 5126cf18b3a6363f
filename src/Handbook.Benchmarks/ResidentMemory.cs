using System.Globalization;

namespace Handbook.Benchmarks;

/// <summary>Memory that this process holds in RAM.</summary>
public static class ResidentMemory
{
    /// <summary>Bytes now.</summary>
    public static long Current() => Read("VmRSS:") ?? Environment.WorkingSet;

    /// <summary>The most bytes since the start.</summary>
    public static long Peak()
    {
        if (Read("VmHWM:") is { } peak)
            return peak;
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private static long? Read(string field)
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status))
            return null;
        var line = File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal));
        var kilobytes = line?[field.Length..].Trim().Split(' ')[0];
        return kilobytes is null ? null : long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
    }
}
