using System.Text.Json.Nodes;
using Handbook.TestSupport;

namespace Handbook.Gguf.Tests.Oracle;

/// <summary>A trained model answers in llama.cpp as its golden vectors say.</summary>
[Trait("Category", "Golden")]
public sealed class StoriesTests
{
    [Fact]
    public void Stories260K_AnswersAlike()
    {
        var golden = JsonNode.Parse(File.ReadAllText(SharedFolders.Data("models", "stories260K", "golden.json")))!;
        using var folder = new TemporaryFolder();
        GgufExport.Run(SharedFolders.Data("models", "stories260K", "hf"), folder.File("stories.gguf"), FileType.Find("f32"));
        using var theirs = new LlamaCpp(folder.File("stories.gguf"));

        foreach (var row in golden["generation"]!.AsArray())
        {
            var (prompt, expected) = (Integers(row!["prompt_ids"]!), Integers(row["greedy_ids"]!));
            var logits = row["logits_after_prompt"]!.AsArray().Select(item => item!.GetValue<double>());
            Assert.Equal(prompt, theirs.Tokenize(row["prompt"]!.GetValue<string>(), addSpecial: true));
            Assert.All(logits.Zip(theirs.Logits(prompt)[^1]), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
            Assert.Equal(expected, theirs.Greedy(prompt, expected.Length));
        }
    }

    private static int[] Integers(JsonNode list) => [.. list.AsArray().Select(item => item!.GetValue<int>())];
}
