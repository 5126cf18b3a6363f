using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Handbook.TestSupport;

namespace Handbook.Tokenizers.Tests;

/// <summary>The families of golden tokenizer vectors: one .jsonl each, whose first line says which tokenizer file it is for.</summary>
internal static class GoldenFamilies
{
    private static readonly ConcurrentDictionary<string, Lazy<Tokenizer>> Loaded = new(StringComparer.Ordinal);

    /// <summary>Names of the families.</summary>
    public static IEnumerable<string> Names =>
        SharedFolders.GoldenFiles("tokenizers", "*.jsonl").Select(path => Path.GetFileNameWithoutExtension(path));

    /// <summary>The cases of a family.</summary>
    public static IEnumerable<JsonElement> Cases(string family) =>
        Lines(family).Skip(1).Select(line => JsonDocument.Parse(line).RootElement);

    /// <summary>The family's tokenizer, after comparing the hash of its file.</summary>
    public static Tokenizer Load(string family) => LoadFile(TokenizerPath(family));

    /// <summary>A tokenizer file, read once.</summary>
    public static Tokenizer LoadFile(string path) =>
        Loaded.GetOrAdd(path, file => new Lazy<Tokenizer>(() => Tokenizer.LoadFile(file))).Value;

    /// <summary>The tokenizer file a family was made with.</summary>
    public static string TokenizerPath(string family)
    {
        var header = JsonDocument.Parse(Lines(family).First()).RootElement;
        var path = header.TryGetProperty("fixture", out var fixture)
            ? SharedFolders.Golden("tokenizers", "fixtures", Path.GetFileName(fixture.GetString()!))
            : FindFile(header.GetProperty("tokenizer").GetString()!);
        Assert.Equal(header.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        return path;
    }

    /// <summary>The file a name stands for: a folder of tokenizers or models, or <c>folder__file</c> for one file of it.</summary>
    public static string FindFile(string name)
    {
        var parts = name.Split("__");
        if (parts.Length == 2)
            return SharedFolders.Data("tokenizers", parts[0], parts[1] + ".json");
        var file = Path.Combine(SharedFolders.Data("tokenizers"), name, "tokenizer.json");
        return File.Exists(file) ? file : SharedFolders.Data("models", name, "hf", "tokenizer.json");
    }

    private static IEnumerable<string> Lines(string family) =>
        File.ReadLines(SharedFolders.Golden("tokenizers", family + ".jsonl")).Where(line => line.Length > 0);
}
