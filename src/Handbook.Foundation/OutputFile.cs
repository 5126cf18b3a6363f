
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
        Probe(option, path, Path.GetFullPath(target));
        if (!overwrite && PathStatus.Of(target).Kind == PathKind.File && !IsOurs(target, mark))
            throw new UserErrorException(
                $"{option} {path}: a file that this command did not write is there already; name another, or add --overwrite.");
    }

    /// <summary>Refuses a folder in which nothing can be written, and what stands where it, or a folder above it, should.</summary>
    /// <param name="option">The option or key that names it, for the message.</param>
    /// <param name="folder">The folder; it need not be there.</param>
    /// <exception cref="UserErrorException">It cannot be written.</exception>
    public static void CheckFolder(string option, string folder)
    {
        if (string.IsNullOrWhiteSpace(folder))
            throw new UserErrorException($"{option.TrimEnd(':')}: a folder's name is expected.");
        var (place, asked) = (Path.GetFullPath(folder), Path.GetFullPath(folder));
        for (; PathStatus.Of(place).Kind is not PathKind.Folder and var kind; place = Path.GetDirectoryName(place)!)
        {
            if (kind != PathKind.None)
                throw new UserErrorException($"{option} {folder}: {kind.Name()} stands {(place == asked ? "here" : $"at {place}")}; a "
                    + "folder, or a new name, is expected.");
        }
        Probe(option, folder, Path.Combine(place, ".handbook"));
    }

    /// <summary>Refuses to write over what the same command reads, under whatever name.</summary>
    /// <param name="option">The option that names the file, for the message.</param>
    /// <param name="path">The file.</param>
    /// <param name="inputs">Files that are read.</param>
    /// <exception cref="UserErrorException">It is one of them.</exception>
    public static void RefuseInputs(string option, string path, IEnumerable<string> inputs)
    {
        if (inputs.FirstOrDefault(input => IsSame(path, input)) is { } same)
            throw new UserErrorException(
                $"{option} {path}: is {(same == path ? "a file that is read here" : $"{same}, which is read here")}; name another.");
    }

    private static bool IsSame(string path, string input)
    {
        var (one, other) = (PathStatus.Of(path), PathStatus.Of(input));
        return one.Kind == PathKind.File && (one.Number != 0 ? one == other : Path.GetFullPath(path) == Path.GetFullPath(input));
    }

    /// <summary>Makes the file that would be written aside, and takes it away again: folder, name and permissions all have a say.</summary>
    private static void Probe(string option, string path, string target)
    {
        var probe = AtomicFile.AsideOf(target);
        try
        {
            new FileStream(probe, FileMode.CreateNew, FileAccess.Write).Dispose();
            File.Delete(probe);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new UserErrorException(
                $"{option} {path}: cannot be written: no permission to write in {Path.GetDirectoryName(target)}.", error);
        }
        catch (IOException error)
        {
            throw new UserErrorException($"{option} {path}: cannot be written: {error.Message.Split(" : '")[0].TrimEnd('.')}.", error);
        }
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
