using System.Globalization;

namespace Handbook;

/// <summary>Memory that this process holds in RAM, and what it may come to hold.</summary>
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

    /// <summary>The most bytes that it can hold now: what it has and what is free, within the limit that it was given.</summary>
    public static long Limit()
    {
        var most = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Read("MemAvailable:", "/proc/meminfo") is { } free ? Math.Min(most, Current() + free) : most;
    }

    private static long? Read(string field, string file = "/proc/self/status")
    {
        if (!File.Exists(file))
            return null;
        var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal));
        var kilobytes = line?[field.Length..].Trim().Split(' ')[0];
        return kilobytes is null ? null : long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
    }
}
