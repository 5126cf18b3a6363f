using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Handbook.TestSupport;

/// <summary>Unpacks an archive of golden vectors into a folder named after its bytes, once for all test processes.</summary>
public static class GoldenArchive
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, string> Unpacked = [];

    /// <summary>The folder that holds what the archive holds. Another archive of the same name gives another folder.</summary>
    public static string Unpack(string archive, string parent)
    {
        lock (Gate)
        {
            if (!Unpacked.TryGetValue(archive, out var folder))
                Unpacked[archive] = folder = Extract(archive, parent);
            return folder;
        }
    }

    /// <summary>The same without memory: what each process does once.</summary>
    public static string Extract(string archive, string parent)
    {
        using var file = File.OpenRead(archive);
        var name = Path.GetFileName(archive).Split('.')[0];
        var folder = Path.Combine(parent, $"{name}-{Convert.ToHexStringLower(SHA256.HashData(file))[..16]}");
        if (Directory.Exists(folder))
            return folder;
        file.Position = 0;
        var partial = Directory.CreateDirectory(Path.Combine(parent, $".{name}-{Guid.NewGuid():N}")).FullName;
        using (var tar = new GZipStream(file, CompressionMode.Decompress))
            TarFile.ExtractToDirectory(tar, partial, overwriteFiles: false);
        try
        {
            Directory.Move(partial, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another process was first, with the same bytes.
            Directory.Delete(partial, recursive: true);
        }
        return folder;
    }
}
