using System.Runtime.InteropServices;

namespace Handbook.Torch;

/// <summary>The one libtorch that this process loaded.</summary>
public static unsafe partial class LibtorchLibrary
{
    /// <summary>The oldest ABI version with <c>torch_call_dispatcher</c>: 2.10.</summary>
    private static readonly Version Oldest = new(2, 10);

    private static string? folder;
    private static string? origin;
    private static Version? version;

    /// <summary>Folder of the loaded library.</summary>
    public static string Folder => folder ?? LibtorchLocation.Find().Folder;

    /// <summary>How the folder was found.</summary>
    public static string Origin => origin ?? LibtorchLocation.Find().Origin;

    /// <summary>Version that the loaded library reports.</summary>
    public static Version Version
    {
        get
        {
            _ = Native.Library;
            return version!;
        }
    }

    /// <summary>True when a CUDA (or ROCm) half of libtorch lies beside the loaded one and could be loaded.</summary>
    public static bool HasCuda { get; private set; }

    /// <summary>Why the CUDA half beside the library could not be loaded; null when it was, or there is none.</summary>
    public static string? CudaProblem { get; private set; }

    /// <summary>ABI version word of calls: that of 2.10, which every later libtorch honours.</summary>
    internal const ulong AbiVersion = (2UL << 56) | (10UL << 48);

    /// <summary>Loads the library, before anything else touches it, and settles the allocator.</summary>
    /// <exception cref="UserErrorException">The one that is named is missing, too old, or built for another system.</exception>
    /// <exception cref="MachineException">There is none, or the program's own is broken.</exception>
    internal static nint LoadOnce()
    {
        (folder, origin) = LibtorchLocation.Find();
        AllocatorSettings.Apply();
        // PyTorch prints a C++ stack with every error; the reason alone is what we show.
        Environment.SetEnvironmentVariable("TORCH_SHOW_CPP_STACKTRACES", "0");
        var library = Load(Path.Combine(folder, LibtorchLocation.FileName));
        if (!NativeLibrary.TryGetExport(library, "aoti_torch_abi_version", out var versionAddress))
            throw Unusable($"{folder}: this libtorch has no stable C ABI; a PyTorch from {Oldest} on is needed.");
        var word = ((delegate* unmanaged<ulong>)versionAddress)();
        version = new Version((int)(word >> 56), (int)((word >> 48) & 0xff), (int)((word >> 40) & 0xff));
        if (version < Oldest)
            throw Unusable($"{folder}: libtorch {version} is too old; {Oldest} or newer is needed.");
        NativeMessages.Capture();
        LoadCuda();
        return library;
    }

    private static nint Load(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            var reason = error.Message.Split('\n').FirstOrDefault(line => line.Contains(path, StringComparison.Ordinal)) ?? error.Message;
            throw Unusable($"{path} cannot be loaded: {reason.Trim()}", error);
        }
    }

    /// <summary>Whose fault it is depends on who named the folder.</summary>
    internal static Exception Unusable(string message, Exception? cause = null) => origin == LibtorchLocation.Variable
        ? cause is null ? new UserErrorException(message) : new UserErrorException(message, cause)
        : new MachineException(message, cause);

    private static void LoadCuda()
    {
        foreach (var name in new[] { "libtorch_cuda.so", "torch_cuda.dll", "libtorch_hip.so" })
        {
            var path = Path.Combine(folder!, name);
            if (!File.Exists(path))
                continue;
            try
            {
                NativeLibrary.Load(path);
                HasCuda = true;
            }
            catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
            {
                CudaProblem = error.Message.Trim();
            }
        }
    }
}
