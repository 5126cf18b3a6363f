using System.Runtime.InteropServices;
using Xunit;

namespace Handbook.TestSupport;

/// <summary>Makes what is no ordinary file, in a folder of the test's own.</summary>
public static partial class SpecialFiles
{
    private const int CharacterDevice = 0x2000;

    /// <summary>Makes a named pipe that nobody writes into: opening it to read waits for ever.</summary>
    public static string MakePipe(string path) =>
        MakePipe(path, 0x1B6) == 0 ? path : throw new IOException($"no named pipe can be made at {path}");

    /// <summary>Makes a device of endless zeros, for <see cref="DeviceFactAttribute"/>.</summary>
    public static string MakeZeros(string path) => MakeDevice(path, minor: 5);

    /// <summary>Makes a device on which every write fails with a full disk, for <see cref="DeviceFactAttribute"/>.</summary>
    public static string MakeFull(string path) => MakeDevice(path, minor: 7);

    private static string MakeDevice(string path, int minor) =>
        TryMakeDevice(path, minor) ? path : throw new IOException($"no device can be made at {path}");

    internal static bool TryMakeDevice(string path, int minor) =>
        OperatingSystem.IsLinux() && MakeNode(path, CharacterDevice | 0x1B6, (1 << 8) | minor) == 0;

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "mknod", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeNode(string path, uint mode, long device);
}

/// <summary>A test that makes devices: counted as skipped where the system permits none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DeviceFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> CanMake = new(Probe);

    /// <summary>Tries once whether a device can be made and opened.</summary>
    public DeviceFactAttribute()
    {
        if (!CanMake.Value)
            Skip = "needs a system that lets this user make device nodes";
    }

    private static bool Probe()
    {
        var folder = Directory.CreateTempSubdirectory("handbook-device-").FullName;
        try
        {
            var path = Path.Combine(folder, "zeros");
            if (!SpecialFiles.TryMakeDevice(path, minor: 5))
                return false;
            using var stream = File.OpenRead(path);
            return stream.ReadByte() == 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
