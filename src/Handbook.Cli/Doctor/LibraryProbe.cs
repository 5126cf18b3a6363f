using Handbook.Autograd.Kernels;
using Handbook.Torch;
using Handbook.Training.Runs;

namespace Handbook.Cli.Doctor;

/// <summary>Native libraries: libtorch, which is loaded, and those for several processes, which are only looked for.</summary>
internal static class LibraryProbe
{
    public static IEnumerable<Finding> Look()
    {
        var torch = Libtorch();
        yield return torch;
        if (torch.State == FindingState.Good)
        {
            yield return Threads();
            yield return Numbers();
            yield return Chosen();
            yield return Cuda();
        }
        yield return Found("MPI", "apt install openmpi-bin libopenmpi-dev", "only needed to train on several processes", "libmpi.so*",
            "libmpich.so*", "libmpi*.dylib");
        yield return Found("NCCL", "apt install libnccl2, or a PyTorch with CUDA (it brings one)",
            "no run uses it yet: it is for several NVIDIA GPUs", "libnccl.so*");
    }

    private static Finding Libtorch()
    {
        try
        {
            return new Finding("libtorch", FindingState.Good,
                $"{LibtorchLibrary.Version} in {LibtorchLibrary.Folder} ({LibtorchLibrary.Origin})");
        }
        catch (Exception fault) when ((fault is TypeInitializationException ? fault.InnerException : fault) is UserErrorException
            or MachineException)
        {
            return new Finding("libtorch", FindingState.Missing,
                (fault is TypeInitializationException ? fault.InnerException! : fault).Message,
                "dotnet restore (gets the CPU build), or "
                    + $"{LibtorchLocation.Variable}=<python>/site-packages/torch/lib of a PyTorch from 2.10 on");
        }
    }

    private static Finding Threads()
    {
        var wanted = Environment.GetEnvironmentVariable("OMP_NUM_THREADS");
        return new Finding("threads", FindingState.Good,
            $"{ParallelWork.ThreadCount} of {Environment.ProcessorCount}{(wanted is null ? "" : $" (OMP_NUM_THREADS={wanted})")}");
    }

    private static Finding Numbers() => new(
        "precision: auto", FindingState.Good, $"{(BFloat16Speed.IsFast ? "bf16-mixed" : "fp32")}: {RunPrecision.Speed()}");

    private static Finding Chosen() => new("device: auto", FindingState.Good, DeviceChoice.Of("auto").ToString());

    private static Finding Cuda()
    {
        if (LibtorchLibrary.HasCuda)
            return new Finding("GPU half of libtorch", FindingState.Good, "loaded; no GPU has run this version yet");
        var remedy = $"install a PyTorch with CUDA or ROCm and set {LibtorchLocation.Variable} to its torch/lib";
        return LibtorchLibrary.CudaProblem is { } problem
            ? new Finding("GPU half of libtorch", FindingState.Optional, "there, but cannot be loaded: " + problem, remedy)
            : new Finding("GPU half of libtorch", FindingState.Optional, "not there; runs compute on the host", remedy);
    }

    private static Finding Found(string topic, string remedy, string use, params string[] patterns)
    {
        var file = Folders().SelectMany(folder => patterns.SelectMany(pattern => Files(folder, pattern))).FirstOrDefault();
        return file is null
            ? new Finding(topic, FindingState.Optional, $"not found; {use}", remedy)
            : new Finding(topic, FindingState.Good, file);
    }

    /// <summary>Where the system's loader would look, and the folder of libtorch, which may bring its own.</summary>
    private static IEnumerable<string> Folders()
    {
        var own = (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        var listed = Directory.Exists("/etc/ld.so.conf.d")
            ? Directory.GetFiles("/etc/ld.so.conf.d", "*.conf").Order(StringComparer.Ordinal).SelectMany(Lines).Select(line => line.Trim())
                .Where(line => line.StartsWith('/')) : [];
        string[] usual =
        [
            "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/opt/homebrew/lib", "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
        ];
        var nvidia = TorchFolder() is { } torch ? new[] { torch, Path.Combine(torch, "..", "..", "nvidia", "nccl", "lib") } : [];
        return own.Concat(nvidia).Concat(listed).Concat(usual).Distinct().Where(Directory.Exists);
    }

    private static string? TorchFolder()
    {
        try { return LibtorchLocation.Find().Folder; }
        catch (Exception fault) when (fault is UserErrorException or MachineException) { return null; }
    }

    private static IEnumerable<string> Lines(string file)
    {
        try { return File.ReadAllLines(file); }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException) { return []; }
    }

    private static IEnumerable<string> Files(string folder, string pattern)
    {
        try { return Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal); }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException) { return []; }
    }
}
