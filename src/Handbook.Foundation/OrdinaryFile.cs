using System.Globalization;
using System.Text;

namespace Handbook;

/// <summary>
/// Reads files that a person or a stranger has put in place. What is no ordinary file (a device, a pipe, a folder) is refused
/// before it is opened, and what is read whole has a bound, so that no name in a recipe can make the program wait for ever or fill
/// its memory.
/// </summary>
public static class OrdinaryFile
{
    /// <summary>Most bytes of a file of settings: thousands of times what people write, and what JSON makes of it fits memory.</summary>
    public const long SettingsLimit = 16L << 20;

    /// <summary>Most bytes of a file that is read whole and grows with a vocabulary, a model or a run.</summary>
    public const long TableLimit = 512L << 20;

    /// <summary>Most bytes of a text that is held whole: the longest array there is.</summary>
    public const long TextLimit = 0x7FFFFFC7;

    /// <summary>Opens an ordinary file for reading; for what is read piece by piece.</summary>
    /// <param name="path">The file; links are followed.</param>
    /// <param name="bufferSize">Bytes of the stream's buffer; 0 for none.</param>
    /// <param name="options">As the system's.</param>
    /// <exception cref="UserErrorException">
    /// It is missing, may not be read, or is no ordinary file; the message begins with the path.
    /// </exception>
    public static FileStream Open(string path, int bufferSize = 1 << 16, FileOptions options = FileOptions.None)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new UserErrorException("a file's name is missing: an empty one is given.");
        var kind = PathStatus.Of(path).Kind;
        if (kind is not (PathKind.File or PathKind.None))
            throw new UserErrorException($"{path}: {kind.Name()} stands here; an ordinary file is expected.");
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize, options);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserErrorException($"{path}: no such file.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Unreadable(path, error);
        }
    }

    /// <summary>All bytes of an ordinary file.</summary>
    /// <param name="path">The file; links are followed.</param>
    /// <param name="limit">Most bytes that it may have.</param>
    /// <exception cref="UserErrorException">As <see cref="Open"/>, or it is longer than <paramref name="limit"/>.</exception>
    public static byte[] ReadBytes(string path, long limit = SettingsLimit)
    {
        using var stream = Open(path, bufferSize: 0);
        try
        {
            if (stream.Length > limit)
                throw TooLong(path, limit);
            var content = new byte[stream.Length];
            var count = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return count < content.Length ? content[..count] : WithRest(content, stream, path, limit);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, error);
        }
    }

    /// <summary>A file is read to its end, not to its length: it may grow meanwhile, and the system's own files say 0.</summary>
    private static byte[] WithRest(byte[] content, FileStream stream, string path, long limit)
    {
        var piece = new byte[4096];
        var count = stream.Read(piece);
        if (count == 0)
            return content;
        using var all = new MemoryStream();
        all.Write(content);
        for (; count > 0; count = stream.Read(piece))
        {
            if (all.Length + count > limit)
                throw TooLong(path, limit);
            all.Write(piece, 0, count);
        }
        return all.ToArray();
    }

    /// <summary>All text of an ordinary file: UTF-8, or what its byte order mark says; broken bytes become U+FFFD.</summary>
    /// <exception cref="UserErrorException">As <see cref="ReadBytes"/>.</exception>
    public static string ReadText(string path, long limit = SettingsLimit)
    {
        using var reader = new StreamReader(new MemoryStream(ReadBytes(path, limit)), Encoding.UTF8,
            detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    /// <summary>The lines of <see cref="ReadText"/>, without their ends.</summary>
    /// <exception cref="UserErrorException">As <see cref="ReadBytes"/>.</exception>
    public static IReadOnlyList<string> ReadLines(string path, long limit = SettingsLimit)
    {
        var reader = new StringReader(ReadText(path, limit));
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
            lines.Add(line);
        return lines;
    }

    private static UserErrorException TooLong(string path, long limit) =>
        new(string.Create(CultureInfo.InvariantCulture,
            $"{path}: more than {limit >> 20} MB, which no file of its kind has; it is not read."));

    private static UserErrorException Unreadable(string path, Exception error) =>
        new($"{path}: cannot be read: {error.Message.ReplaceLineEndings(" ")}", error);
}
