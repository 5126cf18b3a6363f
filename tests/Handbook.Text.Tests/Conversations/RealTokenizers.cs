using Handbook.TestSupport;
using Handbook.Text.Tokenizers;

namespace Handbook.Text.Tests.Conversations;

/// <summary>The tokenizers of the data folder that can be loaded, each once.</summary>
internal static class RealTokenizers
{
    private static readonly Lazy<IReadOnlyList<(string Name, Tokenizer Tokenizer)>> Loaded = new(Load);

    public static IReadOnlyList<(string Name, Tokenizer Tokenizer)> All => Loaded.Value;

    public static TheoryData<string> Names() => [.. All.Select(entry => entry.Name)];

    public static Tokenizer Get(string name) => All.First(entry => entry.Name == name).Tokenizer;

    private static List<(string, Tokenizer)> Load()
    {
        var folder = Path.Combine(SharedFolders.Data, "tokenizers");
        return Directory.Exists(folder)
            ? [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)
                .Where(path => File.Exists(Path.Combine(path, "tokenizer.json")))
                .Select(path => (Path.GetFileName(path), Tokenizer.Load(path)))]
            : [];
    }
}
