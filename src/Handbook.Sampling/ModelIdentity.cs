using System.Security.Cryptography;
using System.Text;
using Handbook.Data.Preparation;

namespace Handbook.Sampling;

/// <summary>Says in one word what a model folder would write: two folders of the same weights and tokenizer have the same.</summary>
internal static class ModelIdentity
{
    /// <summary>A hash over the configuration and the weights of a folder, and over the tokenizer's files.</summary>
    /// <exception cref="UserErrorException">The folder is not there.</exception>
    public static string Of(string modelFolder, string tokenizerFolder)
    {
        if (!Directory.Exists(modelFolder))
            throw new UserErrorException($"{modelFolder}: no such folder; a model folder is expected.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var files = Directory.EnumerateFiles(modelFolder)
            .Where(path => Path.GetFileName(path) == "config.json" || path.EndsWith(".safetensors", StringComparison.Ordinal));
        foreach (var path in files.OrderBy(path => path, StringComparer.Ordinal))
        {
            using var stream = OrdinaryFile.Open(path);
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(path) + "\n"));
            hash.AppendData(SHA256.HashData(stream));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset()) + " " + TokenizerFingerprint.Of(tokenizerFolder);
    }
}
