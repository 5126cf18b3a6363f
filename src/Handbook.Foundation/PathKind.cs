using System.Runtime.InteropServices;

namespace Handbook;

/// <summary>What stands at a path.</summary>
public enum PathKind
{
    /// <summary>Nothing, or what may not be looked at.</summary>
    None,

    /// <summary>A file with bytes of its own.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A link that leads to none of the others: broken, or to itself.</summary>
    Link,

    /// <summary>A named pipe: whoever opens it waits for somebody at its other end.</summary>
    Pipe,

    /// <summary>A socket.</summary>
    Socket,

    /// <summary>A device of characters or blocks: opening it may already do something.</summary>
    Device,
}

/// <summary>Looks at a path without opening it: opening a pipe waits, opening a device acts.</summary>
public static partial class PathKinds
{
    private const int TypeMask = 0xF000;

    /// <summary>What stands at <paramref name="path"/>, links followed.</summary>
    public static PathKind Of(string path)
    {
        // The system would look at the part before the NUL.
        if (path.Contains('\0', StringComparison.Ordinal))
            return PathKind.None;
        if (OperatingSystem.IsWindows())
            return File.Exists(path) ? PathKind.File : Directory.Exists(path) ? PathKind.Folder : PathKind.None;
        if (Status(path, out var status) == 0)
            return KindOf(status.Mode);
        return LinkStatus(path, out status) == 0 ? KindOf(status.Mode) : PathKind.None;
    }

    /// <summary>What a person calls it, with its article.</summary>
    public static string Name(this PathKind kind) => kind switch
    {
        PathKind.File => "a file",
        PathKind.Folder => "a folder",
        PathKind.Link => "a link that leads nowhere",
        PathKind.Pipe => "a named pipe",
        PathKind.Socket => "a socket",
        PathKind.Device => "a device",
        _ => "nothing",
    };

    private static PathKind KindOf(int mode) => (mode & TypeMask) switch
    {
        0x8000 => PathKind.File,
        0x4000 => PathKind.Folder,
        0xA000 => PathKind.Link,
        0x1000 => PathKind.Pipe,
        0xC000 => PathKind.Socket,
        _ => PathKind.Device,
    };

    // The runtime's own wrapper of stat: one layout on every system, where libc's differs from machine to machine.
    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(string path, out FileStatus status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_LStat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkStatus(string path, out FileStatus status);

    // Longer than the runtime's structure (about 130 bytes), of which the second number is all that is read.
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct FileStatus
    {
        public int Flags;
        public int Mode;
    }
}
