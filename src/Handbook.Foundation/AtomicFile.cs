using System.Runtime.InteropServices;
using System.Text;

namespace Handbook;

/// <summary>Writes files so that a reader, or a killed process, sees the old content or the new one and nothing between.</summary>
public static partial class AtomicFile
{
    /// <summary>Ending of the file written aside; what a killed process leaves behind carries it and may be deleted.</summary>
    public const string AsideSuffix = ".partial";

    /// <summary>
    /// Lets <paramref name="write"/> fill a file beside <paramref name="path"/>, flushes it to the disk and renames it.
    /// When anything fails, the file written aside is removed and the old content stays.
    /// </summary>
    /// <exception cref="IOException">The disk is full or the folder cannot be written; the message names the path.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var aside = path + AsideSuffix;
        try
        {
            using (var stream = new FileStream(aside, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, path, overwrite: true);
            FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch
        {
            try { File.Delete(aside); } catch (IOException) { } catch (UnauthorizedAccessException) { }
            throw;
        }
    }

    /// <summary>Writes UTF-8 text without a byte order mark.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

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

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
