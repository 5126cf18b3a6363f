using System.IO.Compression;
using ZstdSharp;

namespace Handbook.Data.Sources;

/// <summary>Opens data files, through gzip or Zstandard by their ending, and turns failures into one line.</summary>
/// <remarks>
/// A gzip file of several members and a Zstandard file of several frames are read whole. One that ends early throws: Zstandard
/// by itself, gzip because programs are built with <c>System.IO.Compression.UseStrictValidation</c> (Directory.Build.props).
/// </remarks>
internal static class DataFile
{
    /// <summary>The name without <c>.gz</c> or <c>.zst</c>.</summary>
    public static string WithoutCompression(string path) =>
        IsGzip(path) ? path[..^3] : IsZstandard(path) ? path[..^4] : path;

    /// <summary>The decompressed bytes.</summary>
    /// <exception cref="UserErrorException">It is no ordinary file.</exception>
    /// <exception cref="InvalidDataException">Nothing is in a file that should be compressed.</exception>
    public static Stream Open(string path)
    {
        var file = OrdinaryFile.Open(path, bufferSize: 0, FileOptions.SequentialScan);
        if (!IsGzip(path) && !IsZstandard(path))
            return file;
        if (file.Length == 0)
        {
            file.Dispose();
            throw new InvalidDataException("the file is empty, which no compressed file is");
        }
        return IsGzip(path) ? new GZipStream(file, CompressionMode.Decompress) : new DecompressionStream(file, leaveOpen: false);
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
        catch (Exception e) when (e is not UserErrorException and not BadRowException and not OperationCanceledException)
        {
            throw new UserErrorException($"{path}: cannot be read: {Reason(path, e)}", e);
        }
    }

    private static string Reason(string path, Exception e) => e switch
    {
        OutOfMemoryException => "it claims to hold more than fits into memory",
        EndOfStreamException or InvalidDataException when IsGzip(path) || IsZstandard(path) =>
            $"the compressed data ends early or is damaged ({FirstLine(e.Message)})",
        _ => FirstLine(e.Message),
    };

    private static bool IsGzip(string path) => path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);

    private static bool IsZstandard(string path) => path.EndsWith(".zst", StringComparison.OrdinalIgnoreCase);

    private static string FirstLine(string message)
    {
        var cut = message.IndexOfAny(['\r', '\n']);
        return cut < 0 ? message : message[..cut];
    }
}
