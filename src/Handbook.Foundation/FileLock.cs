using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Handbook;

/// <summary>
/// One process at a time, by a file that says who holds it: the system lets go of it when its holder dies, and the file goes with
/// the last holder.
/// </summary>
public sealed partial class FileLock : IDisposable
{
    // What a lock's file begins with: nothing else is written over, whatever name was given.
    private const string Mark = "handbook lock";
    private const int LongestFile = 1024;
    private const int CloseOnExec = 0x10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly string path;
    private readonly FileStream stream;

    private FileLock(string path, FileStream stream)
    {
        this.path = path;
        this.stream = stream;
    }

    /// <summary>Waits for the lock; disposing lets go of it.</summary>
    /// <param name="path">The lock's file, in a folder that is there.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <param name="waits">Hears once that somebody else holds it, and who: "process 17 (handbook sft recipe.yaml)".</param>
    /// <exception cref="OperationCanceledException">The waiting was ended.</exception>
    /// <exception cref="UserErrorException">
    /// The lock can never be had: a folder that cannot be written, a full disk, too many open files.
    /// </exception>
    public static FileLock Take(string path, CancellationToken cancellation, Action<string>? waits = null)
    {
        while (true)
        {
            if (TryTake(path, out var held, out var holder))
                return held;
            waits?.Invoke(holder);
            waits = null;
            cancellation.WaitHandle.WaitOne(Pause);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Takes the lock if nobody has it.</summary>
    /// <param name="path">The lock's file, in a folder that is there.</param>
    /// <param name="held">The lock; disposing lets go of it.</param>
    /// <param name="holder">Who has it, for a sentence: "process 17 (handbook sft recipe.yaml)".</param>
    /// <exception cref="UserErrorException">The lock can never be had.</exception>
    public static bool TryTake(string path, [NotNullWhen(true)] out FileLock? held, [NotNullWhen(false)] out string? holder)
    {
        (held, holder) = (null, null);
        try
        {
            while (held is null)
            {
                if (PathStatus.OfLink(path).Kind is var kind and not (PathKind.File or PathKind.None))
                    throw new UserErrorException(
                        $"{path}: {(kind == PathKind.Link ? "a link" : kind.Name())} stands where a lock's file belongs; remove it.");
                held = Open(path);
            }
            return true;
        }
        catch (IOException error) when (IsHeld(error))
        {
            holder = HolderOf(path);
            return false;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{path}: the lock cannot be taken: {error.Message.ReplaceLineEndings(" ")}", error);
        }
    }

    /// <summary>Lets go of the lock.</summary>
    public void Dispose()
    {
        // The file goes while the lock is held: who opened it before sees that it is no longer the one at the path.
        if (!OperatingSystem.IsWindows())
            TryDelete();
        stream.Dispose();
        if (OperatingSystem.IsWindows())
            TryDelete();
    }

    /// <summary>The lock, or null when its file was removed by its last holder between opening and locking.</summary>
    private static FileLock? Open(string path)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        try
        {
            if (PathStatus.Of(stream.SafeFileHandle) != PathStatus.OfLink(path) && !OperatingSystem.IsWindows())
            {
                stream.Dispose();
                return null;
            }
            if (stream.Length > 0 && !Text(stream.SafeFileHandle).StartsWith(Mark, StringComparison.Ordinal))
                throw new UserErrorException($"{path}: a file that is no lock of handbook's stands here; move it away.");
            stream.SetLength(0);
            stream.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"{Mark}\n{Environment.ProcessId}\n{Command()}\n")));
            return new FileLock(path, stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>
    /// EWOULDBLOCK of Linux and macOS, which is what flock says of a lock that is held; ERROR_SHARING_VIOLATION of Windows.
    /// </summary>
    private static bool IsHeld(IOException error) => OperatingSystem.IsWindows()
        ? (error.HResult & 0xFFFF) == 0x20
        : error.HResult == (OperatingSystem.IsMacOS() ? 35 : 11);

    private static string HolderOf(string path)
    {
        if (OperatingSystem.IsWindows())
            return "another process";
        try
        {
            using var file = Open(path, CloseOnExec, 0);
            if (!file.IsInvalid && Text(file).Split('\n') is [Mark, var process, var command, ..]
                && int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                return string.Create(CultureInfo.InvariantCulture, $"process {id} ({command})");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The holder has just gone, or hides who it is.
        }
        return "another process";
    }

    private static string Text(SafeFileHandle file)
    {
        var bytes = new byte[LongestFile];
        return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0));
    }

    // Every way of the class library to open a file asks for a lock of its own, which is what cannot be had here.
    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    /// <summary>The command's words up to its first option: what follows may be secret, and the file outlives a killed process.</summary>
    private static string Command()
    {
        var words = Environment.GetCommandLineArgs().Skip(1).TakeWhile(word => !word.StartsWith('-')).Take(3);
        var text = string.Join(' ', words.Prepend("handbook")).ReplaceLineEndings(" ");
        return text.Length <= 200 ? text : text[..200] + "...";
    }

    private void TryDelete()
    {
        try { File.Delete(path); } catch (Exception error) when (error is IOException or UnauthorizedAccessException) { }
    }
}
