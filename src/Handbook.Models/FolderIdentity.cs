using System.Collections.Concurrent;
using System.Security.Cryptography;
using Handbook.Models.Adapters;
using Handbook.Models.Configuration;
using Handbook.Models.Safetensors;

namespace Handbook.Models;

/// <summary>What tells one model from another, wherever its folder lies: a SHA-256 over the bytes of configuration and weights.</summary>
public static class FolderIdentity
{
    // A run asks for the identity of its base several times, for its folder, its reference and its adapter's lineage.
    private static readonly ConcurrentDictionary<(string Path, PathStatus Status, long Length, DateTime Written), byte[]> Hashes = new();

    /// <summary>Identity of a model folder, or of an adapter's with all that it was trained on.</summary>
    /// <exception cref="UserErrorException">The folder is broken or not supported.</exception>
    public static string Of(string path)
    {
        using var folder = new ModelFolder(path);
        if (folder.Adapters.Count == 0)
            return OfFiles([Path.Combine(folder.Path, ConfigFile.Name), .. FilesOf(folder.Weights)]);
        return OfTexts([Of(folder.Path), .. folder.Adapters.Select(OfAdapter)]);
    }

    /// <summary>Identity of an adapter by itself.</summary>
    /// <exception cref="UserErrorException">The folder is broken.</exception>
    public static string OfAdapter(AdapterFolder adapter)
    {
        using var weights = adapter.OpenWeights();
        return OfFiles([adapter.ConfigPath, .. FilesOf(weights)]);
    }

    private static IEnumerable<string> FilesOf(SafetensorsFolder weights) =>
        weights.Names.Select(weights.FileOf).Distinct().Order(StringComparer.Ordinal);

    private static string OfFiles(IEnumerable<string> files)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
            all.AppendData(HashOf(Path.GetFullPath(file)));
        return Convert.ToHexStringLower(all.GetHashAndReset());
    }

    private static byte[] HashOf(string file)
    {
        var info = new FileInfo(file);
        return Hashes.GetOrAdd((file, PathStatus.Of(file), info.Exists ? info.Length : 0, info.LastWriteTimeUtc), _ =>
        {
            using var stream = OrdinaryFile.Open(file, 1 << 20, FileOptions.SequentialScan);
            return SHA256.HashData(stream);
        });
    }

    private static string OfTexts(IEnumerable<string> texts) =>
        Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', texts))));
}
