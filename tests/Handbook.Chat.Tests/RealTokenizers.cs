using Handbook.TestSupport;
using Handbook.Tokenizers;

namespace Handbook.Chat.Tests;

/// <summary>Two tokenizers of our own and those of the data folder that can be loaded, each once.</summary>
internal static class RealTokenizers
{
    private const string Missing = "every tokenizer of the data folder";
    private static readonly Lazy<IReadOnlyList<(string Name, Tokenizer Tokenizer)>> Loaded = new(Load);

    public static IReadOnlyList<(string Name, Tokenizer Tokenizer)> All => Loaded.Value;

    /// <summary>Without a data folder one more name, whose tests are skipped.</summary>
    public static TheoryData<string> Names() =>
    [
        .. All.Select(entry => entry.Name), .. SharedFolders.HasData("tokenizers") ? (string[])[] : [Missing],
    ];

    public static Tokenizer Get(string name) =>
        name == Missing ? Tokenizer.Load(SharedFolders.Data("tokenizers")) : All.First(entry => entry.Name == name).Tokenizer;

    private static List<(string, Tokenizer)> Load()
    {
        var folders = SharedFolders.HasData("tokenizers") ? Directory.GetDirectories(SharedFolders.Data("tokenizers")) : [];
        return
        [
            ("made ChatML", MadeText.Tokenizer(600, "<|im_end|>", ChatTemplate.ChatMl, "<|im_start|>")),
            ("made plain", MadeText.Tokenizer(600, "<|endoftext|>")),
            .. folders.Order(StringComparer.Ordinal).Where(path => File.Exists(Path.Combine(path, "tokenizer.json")))
                .Select(path => (Path.GetFileName(path), Tokenizer.Load(path))),
        ];
    }
}
