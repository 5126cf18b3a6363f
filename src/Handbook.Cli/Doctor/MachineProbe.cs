using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Handbook.Cli.Doctor;

/// <summary>The machine: system, processor, memory, disk, accelerators. Reads what the system says and starts nothing.</summary>
internal static class MachineProbe
{
    private const double Gigabyte = 1 << 30;

    /// <summary>Under this much memory not even a small model is fine-tuned in comfort.</summary>
    private const double LittleMemory = 4;

    public static IEnumerable<Finding> Look()
    {
        yield return new Finding("system", FindingState.Good,
            $"{RuntimeInformation.OSDescription.Trim()}, "
                + $"{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}, .NET {Environment.Version}");
        yield return new Finding("processor", FindingState.Good, $"{ProcessorName()}, {Environment.ProcessorCount} usable by this process");
        yield return InstructionSets();
        yield return Memory();
        yield return Disk();
        yield return Accelerators();
    }

    private static string ProcessorName() =>
        FieldOf("/proc/cpuinfo", "model name") ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "processor of unknown name";

    private static Finding InstructionSets()
    {
        var flags = (FieldOf("/proc/cpuinfo", "flags") ?? FieldOf("/proc/cpuinfo", "Features") ?? "").Split(' ');
        (string Name, bool Has)[] sets =
        [
            ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("AVX-512", Avx512F.IsSupported),
            ("AVX512-BF16", Avx512F.IsSupported && flags.Contains("avx512_bf16")),
            ("AMX-BF16", Avx512F.IsSupported && flags.Contains("amx_bf16")),
            ("NEON", AdvSimd.IsSupported), ("BF16", AdvSimd.IsSupported && flags.Contains("bf16")),
        ];
        var found = sets.Where(set => set.Has).Select(set => set.Name).ToList();
        return new Finding("instruction sets", FindingState.Good,
            found.Count == 0 ? "none that speed matters for" : string.Join(", ", found));
    }

    private static Finding Memory()
    {
        var total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Gigabyte;
        var free = FieldOf("/proc/meminfo", "MemAvailable") is { } text
                && long.TryParse(text.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes)
            ? kilobytes * 1024 / Gigabyte : (double?)null;
        var words = string.Create(CultureInfo.InvariantCulture,
            $"{total:F1} GB for this process{(free is null ? "" : string.Create(CultureInfo.InvariantCulture, $", {free:F1} GB free"))}");
        return total < LittleMemory
            ? new Finding("memory", FindingState.Optional, words,
                "little: use gradient_checkpointing: true and a small per_device_train_batch_size")
            : new Finding("memory", FindingState.Good, words);
    }

    private static Finding Disk()
    {
        try
        {
            var drive = new DriveInfo(Path.GetFullPath("."));
            return new Finding("disk", FindingState.Good,
                string.Create(CultureInfo.InvariantCulture, $"{drive.AvailableFreeSpace / Gigabyte:F1} GB free in this folder"));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new Finding("disk", FindingState.Optional, "free space unknown: " + fault.Message);
        }
    }

    private static Finding Accelerators()
    {
        const string folder = "/proc/driver/nvidia/gpus";
        var names = Directory.Exists(folder)
            ? Directory.GetDirectories(folder).Select(gpu => FieldOf(Path.Combine(gpu, "information"), "Model") ?? "NVIDIA GPU").ToList()
            : [];
        if (Directory.Exists("/sys/class/kfd/kfd/topology/nodes") && Path.Exists("/dev/kfd"))
            names.Add("AMD GPU (ROCm)");
        return names.Count == 0
            ? new Finding("accelerators", FindingState.Good, "none; the processor is used")
            : new Finding("accelerators", FindingState.Good,
                string.Join(", ",
                    names.GroupBy(name => name).Select(group => group.Count() == 1 ? group.Key : $"{group.Count()} x {group.Key}")));
    }

    /// <summary>The value of the first <c>name : value</c> line of a file that the system keeps.</summary>
    private static string? FieldOf(string file, string name)
    {
        if (!File.Exists(file))
            return null;
        try
        {
            var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
            return line is null ? null : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
