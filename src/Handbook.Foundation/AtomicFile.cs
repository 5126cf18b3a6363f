using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Handbook;

/// <summary>
/// Writes files so that a reader, or a killed process, sees the old content or the new one and nothing between. Only ordinary files
/// and new names are written: a link is followed and stays, a device, pipe or folder is refused.
/// </summary>
public static partial class AtomicFile
{
    /// <summary>Ending of the file written aside; what a killed process leaves behind carries it and may be deleted.</summary>
    public const string AsideSuffix = ".partial";

    // Hexadecimal digits between the file's name and the suffix: nobody can put a link in the way of a name that is not known.
    private const int MarkLength = 8;
    private const string AsideLock = ".lock";

    /// <summary>
    /// Lets <paramref name="write"/> fill a file beside <paramref name="path"/>, flushes it to the disk and renames it.
    /// When anything fails, the file written aside is removed and the old content stays.
    /// </summary>
    /// <exception cref="UserErrorException">What stands at the path is no ordinary file.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written; the message names the path.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var target = TargetOf(path);
        RemoveLeftovers(target);
        var aside = AsideOf(target);
        try
        {
            // A new file only, and never through a link.
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            Replace(aside, target);
        }
        catch
        {
            TryDelete(aside);
            throw;
        }
    }

    /// <summary>Writes UTF-8 text without a byte order mark.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>
    /// As <see cref="Write"/>, for a writer that opens files by name: it may use any name in the folder that it is given.
    /// </summary>
    /// <param name="path">The file to be.</param>
    /// <param name="write">Gets a new folder of its own and gives the full name of the finished file in it.</param>
    /// <exception cref="UserErrorException">What stands at the path is no ordinary file.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void WriteNamed(string path, Func<string, string> write)
    {
        var target = TargetOf(path);
        var folder = AsideOf(target);
        if (PathStatus.OfLink(folder).Kind != PathKind.None)
            throw new IOException($"{folder}: is in the way.");
        RemoveLeftFolders(target);
        Directory.CreateDirectory(folder);
        // Held for as long as this process lives: a folder whose lock is free was left by a killed one.
        using var held = FileLock.Take(Path.Combine(folder, AsideLock), CancellationToken.None);
        try
        {
            var aside = write(folder);
            using (var stream = new FileStream(aside, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                stream.Flush(flushToDisk: true);
            Replace(aside, target);
        }
        finally
        {
            try { Directory.Delete(folder,
                recursive: true); } catch (Exception error) when (error is IOException or UnauthorizedAccessException) { }
        }
    }

    /// <summary>
    /// Removes the folders that killed processes left of <see cref="WriteNamed"/>. One without a lock is just being made, or not ours.
    /// </summary>
    private static void RemoveLeftFolders(string target)
    {
        var parent = Path.GetDirectoryName(Path.GetFullPath(target))!;
        if (!Directory.Exists(parent))
            return;
        foreach (var path in Directory.EnumerateDirectories(parent, "*" + AsideSuffix).Where(path => IsAsideOf(target, path)))
        {
            var file = Path.Combine(path, AsideLock);
            if (PathStatus.OfLink(path).Kind != PathKind.Folder || PathStatus.OfLink(file).Kind != PathKind.File)
                continue;
            try
            {
                if (!FileLock.TryTake(file, out var free, out _))
                    continue;
                using (free)
                    Directory.Delete(path, recursive: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or UserErrorException)
            {
                // Somebody else's, or not to be had: it stays, and is in nobody's way.
            }
        }
    }

    private static bool IsAsideOf(string target, string path)
    {
        var name = Path.GetFileName(path.AsSpan());
        var start = Path.GetFileName(target) + ".";
        return name.Length == start.Length + MarkLength + AsideSuffix.Length && name.StartsWith(start, StringComparison.Ordinal)
            && name.Slice(start.Length, MarkLength).IndexOfAnyExcept("0123456789abcdef") < 0;
    }

    /// <summary>The file that a path names, links followed.</summary>
    /// <exception cref="UserErrorException">A device, a pipe, a folder or a link to itself stands there.</exception>
    public static string TargetOf(string path)
    {
        var kind = PathStatus.Of(path).Kind;
        if (kind is PathKind.Link or PathKind.None && PathStatus.OfLink(path).Kind == PathKind.Link)
        {
            // Of a link to a file that is yet to be written the system says no more than that it leads nowhere.
            var target = LinkTarget(path);
            return target is not null && PathStatus.OfLink(target).Kind == PathKind.None ? target : throw Refused(path, PathKind.Link);
        }
        return kind switch
        {
            PathKind.File => LinkTarget(path) ?? path,
            PathKind.None => path,
            _ => throw Refused(path, kind),
        };
    }

    /// <summary>Makes a rename inside <paramref name="folder"/> survive a power cut (POSIX: fsync of the folder).</summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0)
            return;
        _ = Synchronize(descriptor);
        _ = Close(descriptor);
    }

    private static UserErrorException Refused(string path, PathKind kind) =>
        new($"{path}: {kind.Name()} stands here; a new name or an ordinary file is expected.");

    private static string? LinkTarget(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Where a file is written before it takes its name: a new name, at which nobody can have put a link.</summary>
    internal static string AsideOf(string target) =>
        $"{target}.{RandomNumberGenerator.GetHexString(MarkLength, lowercase: true)}{AsideSuffix}";

    private static void Replace(string aside, string target)
    {
        File.Move(aside, target, overwrite: true);
        FlushFolder(Path.GetDirectoryName(Path.GetFullPath(target))!);
    }

    /// <summary>Removes what killed processes left of the same file. One that is being written is locked by its writer.</summary>
    private static void RemoveLeftovers(string target)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
        if (!Directory.Exists(folder))
            return;
        foreach (var path in Directory.EnumerateFiles(folder, "*" + AsideSuffix))
        {
            if (IsAsideOf(target, path) && PathStatus.OfLink(path).Kind == PathKind.File && IsFree(path))
                TryDelete(path);
        }
    }

    private static bool IsFree(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void TryDelete(string path)
    {
        try { File.Delete(path); } catch (Exception error) when (error is IOException or UnauthorizedAccessException) { }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
