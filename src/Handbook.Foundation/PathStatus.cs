using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Handbook;

/// <summary>What the system says of a path without opening it: opening a pipe waits, opening a device acts.</summary>
/// <param name="Kind">What stands there.</param>
/// <param name="Device">The file system, and with <paramref name="Number"/> the identity of the file; 0 on Windows.</param>
/// <param name="Number">The file's number in its file system.</param>
public readonly partial record struct PathStatus(PathKind Kind, long Device, long Number)
{
    private const int TypeMask = 0xF000;

    /// <summary>Looks at <paramref name="path"/>, links followed; of a link that leads nowhere it says that.</summary>
    public static PathStatus Of(string path)
    {
        // The system would look at the part before the NUL.
        if (path.Contains('\0', StringComparison.Ordinal))
            return default;
        if (OperatingSystem.IsWindows())
            return new PathStatus(File.Exists(path) ? PathKind.File : Directory.Exists(path) ? PathKind.Folder : PathKind.None, 0, 0);
        return Stat(path, out var status) == 0 ? Of(status) : OfLink(path);
    }

    /// <summary>Looks at <paramref name="path"/> itself: a link is a link.</summary>
    public static PathStatus OfLink(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
            return default;
        if (OperatingSystem.IsWindows())
            return new FileInfo(path).LinkTarget is null ? Of(path) : new PathStatus(PathKind.Link, 0, 0);
        return LinkStat(path, out var status) == 0 ? Of(status) : default;
    }

    /// <summary>Looks at an open file.</summary>
    public static PathStatus Of(SafeFileHandle file) =>
        !OperatingSystem.IsWindows() && HandleStat(file, out var status) == 0 ? Of(status) : new PathStatus(PathKind.File, 0, 0);

    private static PathStatus Of(in FileStatus status) => new(KindOf(status.Mode), status.Device, status.Number);

    private static PathKind KindOf(int mode) => (mode & TypeMask) switch
    {
        0x8000 => PathKind.File,
        0x4000 => PathKind.Folder,
        0xA000 => PathKind.Link,
        0x1000 => PathKind.Pipe,
        0xC000 => PathKind.Socket,
        _ => PathKind.Device,
    };

    // The runtime's own wrappers of stat: one layout on every system, where libc's differs from machine to machine.
    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, out FileStatus status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_LStat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkStat(string path, out FileStatus status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FStat")]
    private static partial int HandleStat(SafeFileHandle file, out FileStatus status);

    // Longer than the runtime's structure; three of its numbers are read, and a test holds their places.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileStatus
    {
        [FieldOffset(4)]
        public int Mode;

        [FieldOffset(88)]
        public long Device;

        [FieldOffset(104)]
        public long Number;
    }
}
