using System.Globalization;
using System.Text;

namespace Handbook;

/// <summary>
/// Files that stand where another one belongs: pointers of Git LFS, downloads that never arrived, error pages saved under the file's
/// name. A parser's complaint about their first byte helps nobody.
/// </summary>
public static class PlaceholderFile
{
    private const string PointerMark = "version https://git-lfs.github.com/spec/";
    private const int LongestWords = 256;

    /// <summary>
    /// What the file really is and how to get the right one, to stand behind its path; null when it may be what it should.
    /// </summary>
    public static string? Explain(string path)
    {
        var (text, length) = Beginning(path);
        if (length == 0)
            return "is empty (0 bytes): its download or copy did not finish; fetch the file again.";
        if (Pointer(text) is { } pointer)
            return pointer;
        var start = text.TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (start.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("<html", StringComparison.OrdinalIgnoreCase))
            return "is an HTML page, such as a server shows for an error or a sign-in, "
                + "saved in the file's place; download the file itself.";
        if (start.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase))
            return "is an XML text, such as a server sends for an error, saved in the file's place; download the file itself.";
        return null;
    }

    /// <summary>As <see cref="Explain"/>, for files that are never a few words of text: those are quoted.</summary>
    public static string? ExplainBinary(string path)
    {
        if (Explain(path) is { } known)
            return known;
        var (text, length) = Beginning(path);
        return length <= LongestWords && text.All(letter => letter is >= ' ' and < '\x7f' or '\r' or '\n' or '\t')
            ? $"holds only the words \"{text.ReplaceLineEndings(" ").Trim()}\", such as a "
                + "server sends for an error; download the file itself."
            : null;
    }

    /// <summary>The same for pointers of Git LFS alone: what a data file may hold otherwise is its own affair.</summary>
    public static string? ExplainPointer(string path) => Pointer(Beginning(path).Text);

    private static string? Pointer(string text)
    {
        if (!text.StartsWith(PointerMark, StringComparison.Ordinal))
            return null;
        var size = text.Split('\n').FirstOrDefault(line => line.StartsWith("size ", StringComparison.Ordinal))?[5..].Trim();
        var bytes = long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? string.Create(CultureInfo.InvariantCulture, $" of {count} bytes") : "";
        return $"is a Git LFS pointer, not the file{bytes} that it stands for; run 'git "
            + "lfs pull' in its folder, or download the file itself.";
    }

    private static (string Text, long Length) Beginning(string path)
    {
        using var stream = OrdinaryFile.Open(path, bufferSize: 0);
        var bytes = new byte[512];
        var count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return (Encoding.UTF8.GetString(bytes, 0, count), count < bytes.Length ? count : Math.Max(count, stream.Length));
    }
}
