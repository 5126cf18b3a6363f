using System.IO.Compression;
using ZstdSharp;

namespace Handbook.Data.Sources;

/// <summary>Opens data files, through gzip or Zstandard by their ending, and turns failures into one line.</summary>
internal static class DataFile
{
    /// <summary>The name without <c>.gz</c> or <c>.zst</c>.</summary>
    public static string WithoutCompression(string path) =>
        path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3]
        : path.EndsWith(".zst", StringComparison.OrdinalIgnoreCase) ? path[..^4]
        : path;

    /// <summary>The decompressed bytes.</summary>
    public static Stream Open(string path)
    {
        var file = new FileStream(path, new FileStreamOptions
        {
            Access = FileAccess.Read,
            Share = FileShare.Read,
            Options = FileOptions.SequentialScan,
            BufferSize = 0,
        });
        if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            return new GZipStream(file, CompressionMode.Decompress);
        return path.EndsWith(".zst", StringComparison.OrdinalIgnoreCase) ? new DecompressionStream(file, leaveOpen: false) : file;
    }

    /// <summary>Enumerates and turns what a damaged or unreadable file throws into a user's error that names it.</summary>
    public static IEnumerable<T> Guarded<T>(string path, IEnumerable<T> items)
    {
        using var enumerator = Guard(path, items.GetEnumerator);
        while (Guard(path, enumerator.MoveNext))
            yield return enumerator.Current;
    }

    /// <summary>Runs a step of reading a file.</summary>
    public static T Guard<T>(string path, Func<T> step)
    {
        try
        {
            return step();
        }
        catch (Exception e) when (e is not UserErrorException and not BadRowException and not OutOfMemoryException)
        {
            throw new UserErrorException($"{path}: cannot be read: {FirstLine(e.Message)}", e);
        }
    }

    private static string FirstLine(string message)
    {
        var cut = message.IndexOfAny(['\r', '\n']);
        return cut < 0 ? message : message[..cut];
    }
}
