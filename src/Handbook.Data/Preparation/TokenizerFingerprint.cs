using System.Security.Cryptography;

namespace Handbook.Data.Preparation;

/// <summary>Says in one word whether two tokenizer folders would give the same tokens.</summary>
public static class TokenizerFingerprint
{
    private static readonly string[] Files =
    [
        "tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json",
        "special_tokens_map.json", "chat_template.jinja",
    ];

    /// <summary>A hash over the files of a folder that decide tokens and templates; of a single file when a path to one is given.</summary>
    public static string Of(string folderOrFile)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string[] paths = File.Exists(folderOrFile)
            ? [folderOrFile] : [.. Files.Select(name => Path.Combine(folderOrFile, name)).Where(File.Exists)];
        foreach (var path in paths)
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(path) + "\n"));
            hash.AppendData(SHA256.HashData(OrdinaryFile.ReadBytes(path, OrdinaryFile.TableLimit)));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
