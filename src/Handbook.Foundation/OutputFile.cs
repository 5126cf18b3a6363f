namespace Handbook;

/// <summary>Whether what a user names as output may be written, asked before any work is done for it.</summary>
public static class OutputFile
{
    private const int LongestEnd = 1 << 16;

    /// <summary>
    /// Refuses what is no ordinary file, a folder that is not there, and a file that is not ours unless it may be written over.
    /// </summary>
    /// <param name="option">The option that names it, for the message.</param>
    /// <param name="path">The file.</param>
    /// <param name="overwrite">Whether the user said <c>--overwrite</c>.</param>
    /// <param name="mark">Bytes that stand near the beginning or the end of every file that this command writes.</param>
    /// <exception cref="UserErrorException">It may not be written.</exception>
    public static void Check(string option, string path, bool overwrite, ReadOnlySpan<byte> mark)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new UserErrorException($"{option}: a file's name is expected.");
        var target = AtomicFile.TargetOf(path);
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(target))))
            throw new UserErrorException($"{option} {path}: cannot be written: the folder is not there");
        if (!overwrite && PathStatus.Of(target).Kind == PathKind.File && !IsOurs(target, mark))
            throw new UserErrorException($"{option} {path}: a file that this command did not write is there already; name another, or add --overwrite.");
    }

    private static bool IsOurs(string path, ReadOnlySpan<byte> mark)
    {
        using var stream = OrdinaryFile.Open(path, bufferSize: 0);
        var bytes = new byte[LongestEnd];
        if (bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).IndexOf(mark) >= 0)
            return true;
        stream.Position = Math.Max(0, stream.Length - LongestEnd);
        return bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).IndexOf(mark) >= 0;
    }
}
